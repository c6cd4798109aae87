package main

import (
	"cmp"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"

	"github.com/google/uuid"
	nanoid "github.com/matoous/go-nanoid/v2"

	"github.com/keyfob-dev/keyfob/token"
)

func tokenRows() []row {
	random := makes(token.Random)
	return []row{
		{
			name:    "token.Random : rand.Read and base64",
			targets: []target{{cpu, atMost, 1.15}},
			prepare: func(*env) (side, side, error) {
				return random, makes(func() string {
					b := make([]byte, 32)
					rand.Read(b)
					return base64.RawURLEncoding.EncodeToString(b)
				}), nil
			},
		},
		{
			name:    "token.Random : google/uuid, version 4",
			prepare: func(*env) (side, side, error) { return random, makes(uuid.NewString), nil },
		},
		{
			name: "token.Random : go-nanoid, 21 characters",
			prepare: func(*env) (side, side, error) {
				return random, makes(func() string { return nanoid.Must() }), nil
			},
		},
		{
			name:    "keyfob token -n 1000000 : head -c 32000000 /dev/urandom",
			targets: []target{{cpu, atMost, 1.5}},
			prepare: manyTokens,
		},
		{
			name:    startRow,
			targets: []target{{cpu, atMost, 5}},
			prepare: func(e *env) (ours, peer side, err error) {
				keyfob, err := e.keyfob()
				if err != nil {
					return ours, peer, err
				}
				bare, err := e.build("", "./bare")
				return e.command(1, keyfob, "token"), e.command(1, bare), err
			},
		},
	}
}

// makes is a side that makes one text after the other.
func makes(one func() string) side {
	return side{run: func(n int) error {
		for range n {
			if one() == "" {
				return fmt.Errorf("nothing was made")
			}
		}
		return nil
	}}
}

func manyTokens(e *env) (ours, peer side, err error) {
	keyfob, err := e.keyfob()
	if err != nil {
		return ours, peer, err
	}
	count := e.size(1_000_000)
	peer, err = e.program("coreutils", count, "head", "-c", strconv.Itoa(32*count), "/dev/urandom")
	return e.command(count, keyfob, "token", "-n", strconv.Itoa(count)), peer, err
}

const startRow = "keyfob token, its start : a bare Go program"

// An initCost is what one package costs at each start of the command.
type initCost struct {
	Package string  `json:"package"`
	Millis  float64 `json:"ms"`
	Bytes   int     `json:"bytes"`
	Allocs  int     `json:"allocs"`
}

// inittraceLine is a line that GODEBUG=inittrace=1 has the Go runtime print.
var inittraceLine = regexp.MustCompile(`(?m)^init (\S+) @\S+ ms, (\S+) ms clock, (\d+) bytes, (\d+) allocs$`)

// initCosts returns what the packages of the command cost at its start, by their
// medians over the rounds, the most expensive first.
func (e *env) initCosts() ([]initCost, error) {
	keyfob, err := e.keyfob()
	if err != nil {
		return nil, err
	}
	times, costs := map[string][]float64{}, map[string]initCost{}
	for range e.rounds {
		cmd := exec.CommandContext(e.ctx, keyfob, "token")
		cmd.Env = append(os.Environ(), "GODEBUG=inittrace=1")
		trace, err := cmd.CombinedOutput()
		if err != nil {
			return nil, err
		}
		for _, m := range inittraceLine.FindAllStringSubmatch(string(trace), -1) {
			c := initCost{Package: m[1]}
			ms, _ := strconv.ParseFloat(m[2], 64)
			c.Bytes, _ = strconv.Atoi(m[3])
			c.Allocs, _ = strconv.Atoi(m[4])
			times[c.Package] = append(times[c.Package], ms)
			costs[c.Package] = c
		}
	}
	for name, c := range costs {
		c.Millis = middle(times[name])
		costs[name] = c
	}
	return slices.SortedFunc(maps.Values(costs), func(a, b initCost) int {
		return cmp.Or(cmp.Compare(b.Millis, a.Millis), cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.Package, b.Package))
	}), nil
}
