package main

import (
	"strings"
	"text/tabwriter"
)

// A table is text in columns, without the control characters of its cells.
type table struct {
	w   *tabwriter.Writer
	err error
}

func newTable(o *output) *table {
	return &table{w: tabwriter.NewWriter(o, 0, 0, 2, ' ', 0)}
}

func (t *table) row(cells ...string) {
	for i, cell := range cells {
		cells[i] = printable(cell)
	}
	if _, err := t.w.Write([]byte(strings.Join(cells, "\t") + "\n")); t.err == nil {
		t.err = err
	}
}

// end prints the table.
func (t *table) end() error {
	if err := t.w.Flush(); t.err == nil {
		t.err = err
	}
	return t.err
}
