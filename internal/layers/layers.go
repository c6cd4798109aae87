// Package layers proves keyfob's import rule:
//
//	random <- leaves <- store <- keyfob <- {bearer, session, link, keyfobtest,
//	client, server/console} <- server <- cmd
//
// The stores below store import the package store only. Only cmd, keyfobtest,
// examples and tests name one of them. A leaf imports random, internal/draw, the
// standard library and golang.org/x/crypto, and no other leaf.
//
// The table in table.go gives each package its layer and each layer its rule; a
// package that is not in it is a breach. No package has cgo.
//
// Tests keep a laxer rule. Those of store and of all above it may import any
// package but the command. Those of the leaves and of what is below them keep
// the rule of their package, because go mod tidy looks at the tests of the
// packages that a user imports: what a leaf's test imports is in the go.sum of
// everybody who uses that leaf.
//
// Only tests import this package.
package layers

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Module is the path of the module whose packages have layers.
const Module = "github.com/keyfob-dev/keyfob"

// Imports is what one package imports.
type Imports struct {
	Code  []string // by the package
	Tests []string // by its tests, in the package and beside it
}

// Graph maps the import path of each package of the module to what it imports.
type Graph map[string]Imports

// Breach is an import that the rule refuses, or, with no To, a package that the
// table does not know.
type Breach struct {
	From string // a package of the module, relative to it; "" is the root
	To   string // relative as well when it is of the module
	Test bool   // a test imports it
	Why  string
}

// String returns the sentence that a failing test prints.
func (b Breach) String() string {
	switch {
	case b.To == "":
		return name(b.From) + ": " + b.Why
	case b.Test:
		return fmt.Sprintf("a test of %s imports %s: %s", name(b.From), b.To, b.Why)
	}
	return fmt.Sprintf("%s imports %s: %s", name(b.From), b.To, b.Why)
}

// Check returns every breach in g, in the order of the packages' paths.
func Check(g Graph) []Breach {
	var breaches []Breach
	for _, path := range slices.Sorted(maps.Keys(g)) {
		from, ok := inModule(path)
		if !ok {
			continue
		}
		l := layerOf(from)
		if l == unknown {
			breaches = append(breaches, Breach{From: from, Why: "has no layer; add it to the table in internal/layers/table.go"})
			continue
		}
		for _, to := range slices.Sorted(slices.Values(g[path].Code)) {
			if why := judge(from, l, to); why != "" {
				breaches = append(breaches, Breach{From: from, To: short(to), Why: why})
			}
		}
		for _, to := range slices.Sorted(slices.Values(g[path].Tests)) {
			if why := judgeTest(from, l, to); why != "" {
				breaches = append(breaches, Breach{From: from, To: short(to), Test: true, Why: why})
			}
		}
	}
	return breaches
}

// judge returns why the package from, of layer l, may not import to, or "".
func judge(from string, l layer, to string) string {
	if to == "C" {
		return "keyfob has no cgo"
	}
	rule := rules[l]
	rel, ok := inModule(to)
	if !ok {
		if rule.few && !standard(to) && !within(to, rule.others) && !within(to, extra[from]) {
			return rule.says
		}
		return ""
	}
	t := layerOf(rel)
	if t == unknown {
		return "which has no layer; add it to the table in internal/layers/table.go"
	}
	if !slices.Contains(rule.from, t) {
		return rule.says
	}
	return ""
}

// judgeTest returns why a test of the package from may not import to, or "".
func judgeTest(from string, l layer, to string) string {
	rel, ok := inModule(to)
	if ok && (rel == from || layerOf(rel) == testOnly) {
		return ""
	}
	switch l {
	case ground, random, leaf:
		if why := judge(from, l, to); why != "" {
			return why + "; its tests too, since what they import is in the go.sum of its users"
		}
		return ""
	}
	switch {
	case to == "C":
		return "keyfob has no cgo"
	case ok && layerOf(rel) == unknown:
		return "which has no layer; add it to the table in internal/layers/table.go"
	case ok && layerOf(rel) == command:
		return "the command is a program; test it as one"
	}
	return ""
}

// layerOf looks up a path relative to the module.
func layerOf(rel string) layer {
	if l, ok := table[rel]; ok {
		return l
	}
	for parent, _, ok := cutLast(rel); ok; parent, _, ok = cutLast(parent) {
		if l, ok := table[parent+"/..."]; ok {
			return l
		}
	}
	return unknown
}

func cutLast(path string) (before, after string, ok bool) {
	i := strings.LastIndexByte(path, '/')
	if i < 0 {
		return "", "", false
	}
	return path[:i], path[i+1:], true
}

// inModule returns path relative to the module, and whether it is of it.
func inModule(path string) (string, bool) {
	if path == Module {
		return "", true
	}
	return strings.CutPrefix(path, Module+"/")
}

// short is how a breach names an import: packages of the module without its path.
func short(path string) string {
	if rel, ok := inModule(path); ok {
		return name(rel)
	}
	return path
}

func name(rel string) string {
	if rel == "" {
		return "the root package"
	}
	return rel
}

// standard tells a path of the standard library: its first element has no dot.
func standard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}

// within tells whether path is one of the modules or a package in one.
func within(path string, modules []string) bool {
	return slices.ContainsFunc(modules, func(m string) bool {
		return path == m || strings.HasPrefix(path, m+"/")
	})
}
