package server

import (
	"context"
	"errors"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/internal/oas"
)

// ListEvents answers a page of events.
func (a *api) ListEvents(ctx context.Context, params oas.ListEventsParams) (*oas.EventPage, error) {
	in := a.in(ctx, oas.ListEventsOperation)
	filter, err := eventFilterOf(&params)
	if err != nil {
		return nil, err
	}
	page, err := in.Events().List(ctx, filter)
	if err != nil {
		return nil, err
	}
	answer := &oas.EventPage{Items: make([]oas.Event, len(page.Items)), Next: page.Next}
	for i := range page.Items {
		answer.Items[i] = eventOf(&page.Items[i])
	}
	return answer, nil
}

func eventFilterOf(params *oas.ListEventsParams) (f keyfob.EventFilter, err error) {
	f.After = params.After.Or("")
	if f.Limit, err = givenLimit(params.Limit); err != nil {
		return f, err
	}
	if f.Credential, err = givenText("credential", params.Credential); err != nil {
		return f, err
	}
	if f.Type, err = givenText("type", params.Type); err != nil {
		return f, err
	}
	switch params.Order.Or("oldest") {
	case "oldest":
	case "newest":
		f.Newest = true
	default:
		return f, &keyfob.InputError{Field: "order", Problem: "is none that there is: oldest or newest"}
	}
	return f, nil
}

// CheckpointEvents signs how far the log has come.
func (a *api) CheckpointEvents(ctx context.Context, _ oas.CheckpointEventsParams) (*oas.Checkpoint, error) {
	c, err := a.in(ctx, oas.CheckpointEventsOperation).Events().Checkpoint(ctx)
	if err != nil {
		return nil, err
	}
	return checkpointOf(&c), nil
}

// VerifyEvents proves the log.
func (a *api) VerifyEvents(ctx context.Context, req *oas.VerifyEventsRequest, _ oas.VerifyEventsParams) (*oas.AuditReport, error) {
	in := a.in(ctx, oas.VerifyEventsOperation)
	checkpoints, err := givenCheckpoints(req.Checkpoints)
	if err != nil {
		return nil, err
	}
	report, err := in.Events().Verify(ctx, checkpoints...)
	if input, ok := errors.AsType[*keyfob.InputError](err); ok && input.Field == "checkpoint" {
		return nil, badCheckpoint(input.Problem)
	}
	if err != nil {
		return nil, err
	}
	return reportOf(&report), nil
}
