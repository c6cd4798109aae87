package storetest

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/keyfob-dev/keyfob/store"
)

// errorChecks are the sentences of the paragraph Errors. That reads answer
// ErrNotFound is in the group Reads.
var errorChecks = group{"Errors", []check{
	{"no error holds a digest, a MAC, a setting's value or what a replay holds", noLeak},
	{"a conflict is a ConflictError and no other error", conflictOnly},
}}

// closeChecks are the sentences about Close.
var closeChecks = group{"Close", []check{
	{"Close may be called more than once", closeTwice},
	{"later calls answer ErrUnavailable", closedCalls},
	{"Close waits for the calls that are under way", closeMeanwhile},
}}

func noLeak(e *env) {
	canaries := []string{"canary of a digest, 32 bytes lg", "canary of a mac, as long as that", "canary of a setting", "canary of a replay"}
	e = e.with(e.open())
	s := e.newScene()
	item, change := e.newIssue(e.space().ID)
	v := copyVersion(item.Versions[0])
	v.Digest = []byte(canaries[0])
	change.Steps[1] = store.CreateVersion{Version: v}
	change.Events[0].MAC = []byte(canaries[1])
	setting := e.newSetting()
	setting.Value = []byte(canaries[2])
	replay := e.newReplay(item.Credential.Space)
	replay.Request, replay.Sealed = []byte(canaries[3]), []byte(canaries[3])
	change.Steps = append(change.Steps, setting, store.CreateReplay{Replay: replay})
	e.applyChange(copyChange(change))

	var errs []error
	try := func(steps ...store.Step) {
		steps = append(steps[:len(steps):len(steps)], setting)
		errs = append(errs, e.store.Apply(background, store.Change{Steps: steps, Events: change.Events}))
	}
	for _, bad := range s.bad {
		try(bad)
	}
	v.ID = e.id()
	try(store.CreateVersion{Version: v}) // its number is taken
	try(store.CreateReplay{Replay: replay})
	try(store.SealEvents{Space: item.Credential.Space})
	try(nil)
	try()
	_, err := e.store.Version(background, "elsewhere", v.ID)
	errs = append(errs, err)
	_, err = e.store.Setting(background, "nothing")
	errs = append(errs, err)
	_, err = e.store.Replay(background, "elsewhere", replay.Name)
	errs = append(errs, err)

	closed := e.open()
	if err := closed.Close(); err != nil {
		e.Errorf("Close: %v", err)
	}
	errs = append(errs, closed.Apply(background, change))
	for _, err := range errs {
		if err == nil {
			e.Fatal("a call that must fail does not")
		}
		leak(e, err, canaries)
	}
}

// leak looks for the canaries in all that may be printed of an error.
func leak(e *env, err error, canaries []string) {
	e.Helper()
	for ; err != nil; err = errors.Unwrap(err) {
		printed := fmt.Sprintf("%v\n%+v\n%#v\n%q\n%s", err, err, err, err, err)
		for _, canary := range canaries {
			raw := []byte(canary)
			for _, form := range []string{
				canary, hex.EncodeToString(raw), strings.ToUpper(hex.EncodeToString(raw)),
				base64.StdEncoding.EncodeToString(raw)[:12], strings.Trim(fmt.Sprint(raw), "[]"),
				strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%#v", raw), "[]byte{"), "}"),
			} {
				if strings.Contains(printed, form) {
					e.Errorf("the error %q holds the %s", err, canary)
				}
			}
		}
	}
}

func conflictOnly(e *env) {
	e = e.with(e.open())
	s := e.newScene()
	for _, bad := range s.bad {
		err := e.store.Apply(background, store.Change{Steps: []store.Step{bad}})
		if problem := notConflict(err, 0); problem != "" {
			e.Errorf("Apply of %T: %s", bad, problem)
		}
	}
}

func closeTwice(e *env) {
	e = e.with(e.open())
	e.issue(e.space().ID)
	for range 3 {
		if err := e.store.Close(); err != nil {
			e.Errorf("Close: %v", err)
		}
	}
	unused := e.open()
	for _, err := range together(8, func(int) error { return unused.Close() }) {
		if err != nil {
			e.Errorf("Close by several: %v", err)
		}
	}
}

func closedCalls(e *env) {
	e = e.with(e.open())
	calls := e.calls()
	if err := e.store.Close(); err != nil {
		e.Errorf("Close: %v", err)
	}
	for range 2 {
		for _, call := range calls {
			_, err := call.do(background)
			if !errors.Is(err, store.ErrUnavailable) || errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrConflict) {
				e.Errorf("%s: %v; want ErrUnavailable", call.name, err)
			}
		}
		if err := e.store.Close(); err != nil {
			e.Errorf("Close: %v", err)
		}
	}
	// Also where nothing would have to be looked up.
	if err := e.store.Apply(background, store.Change{}); !errors.Is(err, store.ErrUnavailable) {
		e.Errorf("Apply of an empty change: %v; want ErrUnavailable", err)
	}
}

func closeMeanwhile(e *env) {
	for range 3 {
		e := e.with(e.open())
		e.Log(len(e.closeUnderWay(e.space().ID)), "changes were acknowledged before the store was closed")
	}
}

// closeUnderWay closes the store while others write and read, and returns what
// was acknowledged. Each call must succeed or answer ErrUnavailable.
func (e *env) closeUnderWay(space string) []store.Item {
	e.Helper()
	const writers, readers, enough, most = 4, 4, 20, 2000
	known := e.issue(space)
	acknowledged := make([][]store.Item, writers)
	var done atomic.Int32
	closing := make(chan struct{})
	begin := sync.OnceFunc(func() { close(closing) })
	errs := together(writers+readers+1, func(i int) error {
		if i == writers+readers {
			<-closing
			return e.store.Close()
		}
		for range most {
			var err error
			if i < writers {
				item, change := e.newIssue(space)
				if err = e.store.Apply(background, change); err == nil {
					acknowledged[i] = append(acknowledged[i], item)
				}
			} else {
				_, err = e.store.Version(background, space, known.Credential.Current)
			}
			if errors.Is(err, store.ErrUnavailable) && !errors.Is(err, store.ErrNotFound) {
				return nil
			} else if err != nil {
				begin()
				return err
			}
			if i < writers && done.Add(1) == enough {
				begin()
			}
		}
		<-closing
		return nil
	})
	for _, err := range errs {
		if err != nil {
			e.Errorf("while the store is being closed: %v; want nil or ErrUnavailable", err)
		}
	}
	all := []store.Item{known}
	for _, items := range acknowledged {
		all = append(all, items...)
	}
	return all
}
