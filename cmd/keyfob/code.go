package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/internal/oas"
)

func newCode(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "code COMMAND",
		Short: "Issue and redeem codes that are sent to somebody",
		Long: `Issue and redeem codes that are sent to somebody, who types them in. A code lives for
ten minutes at most, allows five guesses, and is redeemed once. keyfob otp makes codes
that nobody keeps.

` + remoteHelp,
		Example: `  keyfob code issue --subject alice --purpose login > alice.code
  keyfob code redeem --subject alice --purpose login < alice.code`,
		GroupID: groupCredentials,
	}
	k := kindCode
	cmd.AddCommand(newCodeIssue(u), newCodeRedeem(u), k.newList(u), k.newRevoke(u), k.newPurge(u))
	return cmd
}

func newCodeIssue(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "issue --subject SUBJECT --purpose PURPOSE [flags]",
		Short: "Issue a code, and print it",
		Long: `Issue a code, and print it: the only time that it is shown. It takes the place of the
one before of the same subject and purpose, which has to be half a minute old.`,
		Example: `  keyfob code issue --subject bob --purpose login
  keyfob code issue --subject carol --purpose login --digits 8 --ttl 5m
  keyfob code issue --subject dave --purpose login --alphabet unambiguous --length 8`,
		Args:              takes(),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	var request oas.IssueCodeRequest
	attributes := pairsValue{}
	digits := wholeValue{n: 6, least: 6, most: 10}
	length := wholeValue{n: 8, least: 6, most: 16}
	subject := addText(cmd, "subject", "SUBJECT", "", "whom the code stands for (required)")
	purpose := addText(cmd, "purpose", "PURPOSE", "", "what it is for: of a-z, 0-9, -, _ and . (required)")
	cmd.Flags().Var(&digits, "digits", "how many digits it has")
	alphabet := addChoice(cmd, "alphabet", "what it is made of", "digits", "unambiguous")
	cmd.Flags().Var(&length, "length", "how many characters it has, with --alphabet unambiguous")
	ttl := addDuration(cmd, "ttl", "how long it lives, up to 10m, which is the default")
	cmd.Flags().Var(attributes, "attribute", "something of the application's to keep with it, no secret; may be given many times")
	asJSON := cmd.Flags().Bool("json", false, "print the API's object, which holds the code")
	r := addSpaced(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := (&attemptFlags{subject: subject, purpose: purpose}).check(); err != nil {
			return err
		}
		request.Subject, request.Purpose = *subject, *purpose
		if err := setForm(cmd, &request, alphabet.text, digits.n, length.n); err != nil {
			return err
		}
		if len(attributes) > 0 {
			request.Attributes.SetTo(oas.IssueCodeRequestAttributes(attributes))
		}
		if err := ttl.seconds(cmd, "ttl", &request.TTL); err != nil {
			return err
		}
		c, err := r.ready(u)
		if err != nil {
			return err
		}
		issued, err := c.IssueCode(cmd.Context(), &request, oas.IssueCodeParams{Space: *r.space})
		if err != nil {
			return c.explain(err)
		}
		return u.spendIssued(&issued.Credential, issued, *asJSON, issued.Code)
	}
	return cmd
}

// setForm says in a request what a code is made of.
func setForm(cmd *cobra.Command, request *oas.IssueCodeRequest, alphabet string, digits, length int64) error {
	given := cmd.Flags().Changed
	switch {
	case alphabet == "unambiguous" && given("digits"):
		return wrong("--digits is for codes of digits; give --length")
	case alphabet == "unambiguous":
		request.Alphabet.SetTo(alphabet)
		request.Length.SetTo(int32(length))
	case given("length"):
		return wrong("--length is for --alphabet unambiguous; give --digits")
	default:
		request.Digits.SetTo(int32(digits))
	}
	return nil
}

func newCodeRedeem(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "redeem --subject SUBJECT --purpose PURPOSE [flags] < FILE",
		Short: "Redeem the code on stdin: once",
		Long: `Redeem the code on stdin: once. Each try is counted, for the code and for the subject.
` + verdictHelp,
		Example: `  keyfob code redeem --subject alice --purpose login --ip 192.0.2.7 < alice.code`,
	}
	f := addAttempt(cmd, "subject", "purpose")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return f.run(cmd, u, "Code", func(ctx context.Context, c *connection, text string) (*oas.AttemptVerdict, error) {
			request := &oas.RedeemCodeRequest{Subject: *f.subject, Purpose: *f.purpose, Code: text}
			setText(&request.IP, *f.ip)
			return c.RedeemCode(ctx, request, oas.RedeemCodeParams{Space: *f.space})
		})
	}
	return cmd
}
