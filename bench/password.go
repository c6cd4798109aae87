package main

import (
	"strconv"
	"strings"

	"github.com/sethvargo/go-diceware/diceware"
	peerpassword "github.com/sethvargo/go-password/password"

	"github.com/keyfob-dev/keyfob/passphrase"
	"github.com/keyfob-dev/keyfob/password"
)

// The policies of the rows.
var (
	loosePolicy   = password.Policy{Length: 16}
	oneEachPolicy = password.Policy{
		Length:  16,
		Classes: password.AtLeast(1, password.Lower, password.Upper, password.Digits, password.Symbols),
	}
	tightPolicy = password.Policy{Length: 16, Classes: []password.Class{
		{Chars: password.Lower, Min: 1}, {Chars: password.Upper, Min: 1}, {Chars: password.Digits, Min: 8}, {Chars: password.Symbols, Min: 1},
	}}
	everyPolicy = password.Policy{
		Length: 64,
		Classes: []password.Class{
			{Chars: password.Lower, Min: 2}, {Chars: password.Upper, Min: 2}, {Chars: password.Digits, Min: 2}, {Chars: password.Symbols, Min: 1, Max: 6},
		},
		Variety: password.Variety{Min: 3}, NoLookAlikes: true, Exclude: "{}", MaxRun: 2,
		First: password.Lower + password.Upper, NotLast: password.Symbols,
		Forbidden: []string{"password", "admin", "qwerty", "1234", "keyfob"},
	}
)

func passwordRows() []row {
	return []row{
		{
			name:    "password.Random(16) : go-password",
			targets: []target{{cpu, atLeast, 20}},
			prepare: func(*env) (side, side, error) {
				return makes(func() string { return password.Random(16) }), goPassword(), nil
			},
		},
		{
			name:    "password, 16 with one of each class : go-password",
			targets: []target{{cpu, atLeast, 10}},
			prepare: func(*env) (side, side, error) { return draws(oneEachPolicy), goPassword(), nil },
		},
		{
			name:    "password, 16 with minimums 1, 1, 8, 1 : without",
			targets: []target{{cpu, atMost, 2}},
			prepare: func(*env) (side, side, error) { return draws(tightPolicy), draws(loosePolicy), nil },
		},
		{
			name:    "password, counting and explaining 64 with every rule : 10,000 of them",
			targets: []target{{cpu, atMost, 1}},
			prepare: func(e *env) (side, side, error) { return counting(), drawing(e.size(10_000)), nil },
		},
		{
			name:    "keyfob password --length 16 -n 100000 : pwgen -s 16 100000",
			targets: []target{{cpu, atLeast, 15}},
			prepare: manyPasswords,
		},
		{
			name:    "passphrase.Random(6) : go-diceware",
			targets: []target{{cpu, atLeast, 15}},
			prepare: func(*env) (side, side, error) {
				return makes(func() string { return passphrase.Random(6) }),
					makes(func() string { return strings.Join(diceware.MustGenerate(6), "-") }), nil
			},
		},
		{
			name:    "keyfob passphrase -n 10000 : xkcdpass -n 6 -c 10000",
			targets: []target{{cpu, atLeast, 10}},
			prepare: manyPassphrases,
		},
	}
}

// draws makes one password after the other of a compiled policy.
func draws(p password.Policy) side { return makes(p.MustCompile().New) }

// goPassword makes as many characters of the same 94, four of them digits and four
// symbols: it has no way to leave their number open.
func goPassword() side {
	return makes(func() string { return peerpassword.MustGenerate(16, 4, 4, false, true) })
}

// counting finds everything out about a policy that has not been seen before.
func counting() side {
	return side{run: func(n int) error {
		for range n {
			g, err := everyPolicy.Compile()
			if err != nil {
				return err
			}
			g.Explain()
		}
		return nil
	}}
}

// drawing makes count passwords of the policy at a time.
func drawing(count int) side {
	g := everyPolicy.MustCompile()
	return side{run: func(n int) error {
		for range n {
			for range g.Each(count) {
			}
		}
		return nil
	}}
}

func manyPasswords(e *env) (ours, peer side, err error) {
	keyfob, err := e.keyfob()
	if err != nil {
		return ours, peer, err
	}
	count := e.size(100_000)
	n := strconv.Itoa(count)
	peer, err = e.program("pwgen", count, "pwgen", "-s", "16", n)
	return e.command(count, keyfob, "password", "--length", "16", "-n", n), peer, err
}

func manyPassphrases(e *env) (ours, peer side, err error) {
	keyfob, err := e.keyfob()
	if err != nil {
		return ours, peer, err
	}
	count := e.size(10_000)
	n := strconv.Itoa(count)
	peer, err = e.program("xkcdpass", count, "xkcdpass", "-n", "6", "-c", n)
	return e.command(count, keyfob, "passphrase", "-n", n), peer, err
}
