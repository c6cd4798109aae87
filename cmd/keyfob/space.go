package main

import (
	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/internal/oas"
)

func newSpace(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "space COMMAND",
		Short: "Create, list, show and change spaces",
		Long: `Create, list, show and change spaces: isolated namespaces, such as one for each
tenant or environment. No token, id or subject of one is known in another. The space
default is there from the start, and the space keyfob holds the keys of those who may
call the server. How a server is found: see keyfob apikey --help.`,
		Example: `  keyfob space create acme --prefix acme_live
  keyfob apikey issue --space acme --subject alice`,
		GroupID: groupServer,
	}
	cmd.AddCommand(newSpaceCreate(u), newSpaceList(u), newSpaceShow(u), newSpaceSet(u))
	return cmd
}

// showSpace prints a space in lines of a word and a value.
func (u *ui) showSpace(s *oas.Space) error {
	t := newTable(u.out)
	t.row("name", s.Name)
	t.row("prefix", s.Prefix)
	t.row("revision", itoa(s.Revision))
	t.row("created", timeText(s.CreatedAt))
	return t.end()
}
