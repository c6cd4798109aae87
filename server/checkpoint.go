package server

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/internal/oas"
	"github.com/keyfob-dev/keyfob/internal/strictjson"
)

// maxCheckpoints is how many checkpoints a request may have.
const maxCheckpoints = 100

var checkpointShape = strictjson.Shape{
	{Name: "space", Type: strictjson.Text, Required: true},
	{Name: "space_id", Type: strictjson.Text, Required: true},
	{Name: "seq", Type: strictjson.Int64, Required: true},
	{Name: "link", Type: strictjson.Text, Required: true},
	{Name: "time", Type: strictjson.Time, Required: true},
	{Name: "root_key", Type: strictjson.Int64, Required: true},
	{Name: "key", Type: strictjson.Text, Required: true},
	{Name: "signature", Type: strictjson.Text, Required: true},
}

// givenCheckpoints are the checkpoints in the field checkpoints.
func givenCheckpoints(texts []string) ([]keyfob.Checkpoint, error) {
	if len(texts) > maxCheckpoints {
		return nil, &keyfob.InputError{Field: "checkpoints", Problem: fmt.Sprintf("holds %d; at most %d are allowed", len(texts), maxCheckpoints)}
	}
	checkpoints := make([]keyfob.Checkpoint, len(texts))
	for i, text := range texts {
		c, err := parseCheckpoint(text)
		if err != nil {
			return nil, badCheckpoint("is no checkpoint: " + err.Error())
		}
		checkpoints[i] = c
	}
	return checkpoints, nil
}

func badCheckpoint(problem string) error {
	return &keyfob.InputError{Field: "checkpoints", Problem: "holds one that " + problem}
}

// parseCheckpoint reads the JSON of a checkpoint, as checkpointOf spells its
// values. Whether it is a good one is to be found out.
func parseCheckpoint(text string) (keyfob.Checkpoint, error) {
	if err := strictjson.Check([]byte(text), checkpointShape); err != nil {
		return keyfob.Checkpoint{}, err
	}
	var o oas.Checkpoint
	if err := o.UnmarshalJSON([]byte(text)); err != nil {
		return keyfob.Checkpoint{}, errors.New("time is not in milliseconds, as it was written")
	}
	c := keyfob.Checkpoint{Space: o.Space, SpaceID: o.SpaceID, Seq: o.Seq, Time: time.Time(o.Time)}
	if o.RootKey < 1 || o.RootKey > math.MaxInt32 {
		return c, errors.New("root_key is not the number of a root key")
	}
	c.RootKey = int(o.RootKey)
	for _, f := range []struct {
		name, text string
		into       *[]byte
	}{{"link", o.Link, &c.Link}, {"key", o.Key, (*[]byte)(&c.Key)}, {"signature", o.Signature, &c.Signature}} {
		b, err := hex.DecodeString(f.text)
		if err != nil || hex.EncodeToString(b) != f.text {
			return c, errors.New(f.name + " is not in hexadecimal, in lower case")
		}
		*f.into = b
	}
	return c, nil
}
