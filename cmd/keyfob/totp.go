package main

import (
	"context"
	"os"

	"github.com/spf13/cobra"
	"rsc.io/qr"

	"github.com/keyfob-dev/keyfob/internal/oas"
)

func newTOTP(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "totp COMMAND",
		Short: "Enrol authenticator apps, and check their codes",
		Long: `Enrol authenticator apps, and check their codes. The server keeps the seed, encrypted,
and accepts no time step twice. keyfob oath does the same with seeds of your own, and
keeps nothing.

` + remoteHelp,
		Example: `  keyfob totp enroll --subject alice --issuer Acme --account alice@example.com --qr > alice.seed
  head -n 1 alice.seed | keyfob oath totp | keyfob totp confirm --subject alice
  keyfob totp list --subject alice`,
		GroupID: groupCredentials,
	}
	k := kindTOTP
	cmd.AddCommand(
		newTOTPEnroll(u),
		newTOTPCode(u, "confirm", "Take the first code of an authenticator: from then on it counts",
			func(ctx context.Context, c *connection, request *oas.TOTPAttemptRequest, space string) (*oas.AttemptVerdict, error) {
				return c.ConfirmTOTP(ctx, request, oas.ConfirmTOTPParams{Space: space})
			}),
		newTOTPCode(u, "check", "Check the code on stdin, and accept no other of its time step",
			func(ctx context.Context, c *connection, request *oas.TOTPAttemptRequest, space string) (*oas.AttemptVerdict, error) {
				return c.CheckTOTP(ctx, request, oas.CheckTOTPParams{Space: space})
			}),
		k.newList(u), k.newRevoke(u), k.newPurge(u))
	return cmd
}

// enrollFlags are those of keyfob totp enroll.
type enrollFlags struct {
	*remote
	subject, issuer, account, name, png *string
	algorithm                           *choiceValue
	attributes                          pairsValue
	qr, json                            *bool
}

func newTOTPEnroll(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "enroll --subject SUBJECT --account NAME [flags]",
		Short: "Make a seed for an authenticator app, and keep it",
		Long: `Make a seed for an authenticator app, and keep it. It prints the seed, as people type it
in, and in the next line its otpauth URI, which apps read as a QR code: --qr draws it,
on stderr where that is a terminal, and --png writes it to a file. It is shown this
once. Within an hour a first code has to be confirmed.`,
		Example: `  keyfob totp enroll --subject alice --issuer Acme --account alice@example.com --qr > alice.seed
  keyfob totp enroll --subject alice --account alice --json`,
		Args:              takes(),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	f := &enrollFlags{attributes: pairsValue{}}
	f.subject = addText(cmd, "subject", "SUBJECT", "", "whose it is (required)")
	f.account = addText(cmd, "account", "NAME", "", "the account, as the app shows it (required)")
	f.issuer = addText(cmd, "issuer", "NAME", "", "the service that the account is with; apps mix up those of services without one")
	f.name = addText(cmd, "name", "NAME", "", "a name for people who have several")
	f.algorithm = addChoice(cmd, "algorithm", "hash function of the codes; many apps know sha1 alone", "sha1", "sha256", "sha512")
	cmd.Flags().Var(f.attributes, "attribute", "something of the application's to keep with it, no secret; may be given many times")
	f.qr = cmd.Flags().Bool("qr", false, "draw the URI as a QR code")
	f.png = addText(cmd, "png", "FILE", "", "write the URI as a QR code to a file that is not there yet")
	f.json = cmd.Flags().Bool("json", false, "print the API's object, which holds the seed")
	f.remote = addSpaced(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *f.subject == "" {
			return wrong("--subject is missing; say whose it is, as in --subject alice")
		}
		if *f.account == "" {
			return wrong("--account is missing; say what the app shall show, as in --account alice@example.com")
		}
		if *f.png != "" && isFile(*f.png) {
			return wrong("--png names a file that is there already, and it is not overwritten; name another")
		}
		return f.enroll(cmd.Context(), u)
	}
	return cmd
}

func isFile(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func (f *enrollFlags) enroll(ctx context.Context, u *ui) error {
	request := &oas.IssueTOTPRequest{Subject: *f.subject, Account: *f.account}
	setText(&request.Issuer, *f.issuer)
	setText(&request.Name, *f.name)
	request.Algorithm.SetTo(f.algorithm.text)
	if len(f.attributes) > 0 {
		request.Attributes.SetTo(oas.IssueTOTPRequestAttributes(f.attributes))
	}
	c, err := f.ready(u)
	if err != nil {
		return err
	}
	issued, err := c.IssueTOTP(ctx, request, oas.IssueTOTPParams{Space: *f.space})
	if err != nil {
		return c.explain(err)
	}
	code, err := qr.Encode(issued.URI, qr.M)
	if err != nil {
		return undecided("the URI cannot be made a QR code: %v", err)
	}
	if *f.png != "" {
		if err := writeNew(*f.png, code.PNG()); err != nil {
			return undecided("%v; what was handed out is lost: revoke it with keyfob totp revoke %s --space %s", err, issued.Credential.ID, *f.space)
		}
	}
	if err := u.spend(&issued.Credential, issued, *f.json, issued.Secret, issued.URI); err != nil {
		return err
	}
	if *f.qr {
		if err := u.showQR(code); err != nil {
			return err
		}
	}
	if !*f.json {
		u.note("enrolled %s for %s; confirm its first code within an hour: keyfob totp confirm --subject %s",
			issued.Credential.ID, issued.Credential.Subject, shellQuote(issued.Credential.Subject))
	}
	return nil
}

// newTOTPCode is a command that takes a code of an authenticator.
func newTOTPCode(u *ui, name, short string, ask func(context.Context, *connection, *oas.TOTPAttemptRequest, string) (*oas.AttemptVerdict, error)) *cobra.Command {
	cmd := &cobra.Command{
		Use:     name + " --subject SUBJECT [flags] < FILE",
		Short:   short,
		Long:    short + ".\nEach try is counted for the subject.\n" + verdictHelp,
		Example: "  keyfob totp " + name + " --subject alice < alice.code",
	}
	strict := cmd.Flags().Bool("strict", false, "accept a code in its own time step alone, and not in the one before and after")
	f := addAttempt(cmd, "subject")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return f.run(cmd, u, "Code", func(ctx context.Context, c *connection, text string) (*oas.AttemptVerdict, error) {
			request := &oas.TOTPAttemptRequest{Subject: *f.subject, Code: text}
			setText(&request.IP, *f.ip)
			if *strict {
				request.Strict.SetTo(true)
			}
			return ask(ctx, c, request, *f.space)
		})
	}
	return cmd
}
