package main

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"
)

// The groups of commands in the help.
const (
	groupMake        = "make"
	groupCredentials = "credentials"
	groupServer      = "server"
	groupMore        = "more"
)

// Commands stand in the order in which they are needed.
func init() { cobra.EnableCommandSorting = false }

// newRoot builds the command with all that is below it, or, for arguments that begin
// with the name of a command, with that one alone: nothing that they can lead to
// needs the others, and to build them takes longer than to make a token.
func newRoot(u *ui, args ...string) *cobra.Command {
	root := &cobra.Command{
		Use:   "keyfob COMMAND",
		Short: "Make, hand out, check, replace and kill secrets",
		Long: `keyfob makes, hands out, checks, replaces and kills secrets: random tokens,
passwords, passphrases and one-time codes, and the API keys, sessions and one-time
secrets of a server, which it also is.

Secrets go to stdout, one a line, and everything else to stderr. Secrets come in
through stdin or a file, never as an argument. The exit code is 0 for yes or done,
1 for no, 2 for wrong input, 3 for what could not be decided or delivered.`,
		Example: `  keyfob token                                   # 256 random bits
  keyfob password --length 16 --symbol-set safe
  keyfob serve                                   # a server on this machine
  keyfob apikey issue --subject alice > alice.key
  keyfob apikey verify < alice.key`,
		SilenceErrors: true,
		SilenceUsage:  true,

		PersistentPreRunE: readEnv,
	}
	root.SetOut(u.out)
	root.SetErr(u.stderr)
	root.SetIn(u.stdin)
	root.SetFlagErrorFunc(flagError)
	root.CompletionOptions.DisableDefaultCmd = true
	root.AddGroup(
		&cobra.Group{ID: groupMake, Title: "Make:"},
		&cobra.Group{ID: groupCredentials, Title: "Credentials:"},
		&cobra.Group{ID: groupServer, Title: "Server:"},
		&cobra.Group{ID: groupMore, Title: "More:"},
	)
	addCommands(root, u, args)
	version := root.Flags().Bool("version", false, "show which keyfob this is")
	root.Args = func(cmd *cobra.Command, args []string) error {
		if *version && len(args) == 0 {
			return nil
		}
		return needsCommand(cmd, args)
	}
	root.RunE = func(*cobra.Command, []string) error { return u.version(false) }
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { writeHelp(cmd.OutOrStdout(), cmd) })
	root.SetHelpCommand(newHelp())
	root.SetHelpCommandGroupID(groupMore)
	setUp(root)
	return root
}

// addCommands adds the commands that newRoot builds.
func addCommands(root *cobra.Command, u *ui, args []string) {
	commands := [...]struct {
		name string
		new  func(*ui) *cobra.Command
	}{
		{"token", newToken}, {"password", newPassword}, {"passphrase", newPassphrase}, {"otp", newOTP}, {"oath", newOATH},
		{"int", newInt}, {"choice", newChoice}, {"shuffle", newShuffle}, {"sample", newSample}, {"compare", newCompare},
		{"nonce", newNonce}, {"kdf", newKDF}, {"passhash", newPasshash}, {"csrf", newCSRF}, {"entropy", newEntropy},
		{"apikey", newAPIKey}, {"session", newSession}, {"link", newLink}, {"code", newCode}, {"totp", newTOTP}, {"recovery", newRecovery}, {"subject", newSubject},
		{"serve", newServe}, {"space", newSpace}, {"audit", newAudit}, {"init", newInit}, {"owner", newOwner}, {"clock", newClock},
		{"demo", newDemo}, {"completion", newCompletion}, {"man", newMan}, {"version", newVersion},
	}
	for _, c := range commands {
		if len(args) > 0 && args[0] == c.name {
			root.AddCommand(c.new(u))
			return
		}
	}
	for _, c := range commands {
		root.AddCommand(c.new(u))
	}
}

// setUp gives a command, and all below it, what they have in common.
func setUp(cmd *cobra.Command) {
	cmd.DisableFlagsInUseLine = true
	cmd.Flags().SortFlags = false
	cmd.SuggestionsMinimumDistance = 2
	for _, sub := range cmd.Commands() {
		setUp(sub)
	}
	if cmd.Args == nil {
		cmd.Args = needsCommand
	}
	if cmd.RunE == nil {
		cmd.RunE = showHelp
	}
}

// needsCommand is the check of a command that only stands for those below it.
// Without one it has nothing to do, and must not end as if it had done it.
func needsCommand(cmd *cobra.Command, args []string) error {
	path := cmd.CommandPath()
	if len(args) == 0 {
		if !cmd.HasParent() {
			cmd.SetOut(cmd.ErrOrStderr())
			return errors.Join(cmd.Help(), &failure{code: exitWrong})
		}
		var names []string
		for _, sub := range cmd.Commands() {
			names = append(names, sub.Name())
		}
		return wrong("%s needs a command: %s", strings.TrimPrefix(path, "keyfob "), strings.Join(names, ", "))
	}
	if !isWord(args[0]) {
		return wrong("there is no such command; see: %s --help", path)
	}
	if like := cmd.SuggestionsFor(args[0]); len(like) > 0 {
		return wrong("there is no command %q; did you mean: %s %s", args[0], path, like[0])
	}
	return wrong("there is no command %q; see: %s --help", args[0], path)
}

func showHelp(cmd *cobra.Command, _ []string) error { return cmd.Help() }

// takes checks that a command gets the arguments that it names.
func takes(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		path := strings.TrimPrefix(cmd.CommandPath(), "keyfob ")
		switch {
		case len(args) == len(names):
			return nil
		case len(names) == 0:
			return wrong("%s takes no argument, and got %d; see: %s --help", path, len(args), cmd.CommandPath())
		default:
			return wrong("%s takes %s, and got %s; see: %s --help", path, strings.Join(names, " and "), count(len(args), "argument"), cmd.CommandPath())
		}
	}
}

// count is "1 argument" or "3 arguments".
func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return itoa(int64(n)) + " " + what
}
