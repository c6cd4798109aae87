package main

import (
	"github.com/spf13/cobra"
)

func newCompletion(u *ui) *cobra.Command {
	shells := []string{"bash", "zsh", "fish", "powershell"}
	return &cobra.Command{
		Use:   "completion bash|zsh|fish|powershell",
		Short: "Print a script that completes commands and flags in a shell",
		Long: `Print a script that completes keyfob's commands and flags in a shell: source it, or
put it where your shell looks for such scripts. Bash needs the package
bash-completion.`,
		Example: `  keyfob completion bash > ~/.local/share/bash-completion/completions/keyfob
  keyfob completion zsh > "${fpath[1]}/_keyfob"
  keyfob completion fish > ~/.config/fish/completions/keyfob.fish
  keyfob completion powershell >> $PROFILE`,
		GroupID:           groupMore,
		Args:              takes("the name of a shell: bash, zsh, fish or powershell"),
		ValidArgsFunction: cobra.FixedCompletions(shells, cobra.ShellCompDirectiveNoFileComp),
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(u.out, true)
			case "zsh":
				return root.GenZshCompletion(u.out)
			case "fish":
				return root.GenFishCompletion(u.out, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(u.out)
			}
			return wrong("there is no completion for that shell; give bash, zsh, fish or powershell")
		},
	}
}
