package main

import (
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// build says what program this is.
type build struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Go       string `json:"go"`
	System   string `json:"system"`
}

func newVersion(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "version [--json]",
		Short: "Show which keyfob this is",
		Example: `  keyfob version
  keyfob version --json`,
		GroupID:           groupMore,
		Args:              takes(),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	asJSON := cmd.Flags().Bool("json", false, "print an object")
	cmd.RunE = func(*cobra.Command, []string) error { return u.version(*asJSON) }
	return cmd
}

func (u *ui) version(asJSON bool) error {
	b := thisBuild()
	if asJSON {
		return u.out.json(b)
	}
	revision := ""
	if b.Revision != "" {
		revision = " (" + b.Revision + ")"
	}
	return u.out.printf("keyfob %s%s, %s, %s\n", b.Version, revision, b.Go, b.System)
}

func thisBuild() build {
	b := build{Version: "(devel)", Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if info.Main.Version != "" {
		b.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			b.Revision = s.Value
		}
	}
	return b
}
