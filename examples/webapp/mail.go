package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"
)

// A mailbox is a folder that stands for the mail system, a file for each mail. Only a
// demonstration can have it: the links in the mails are good until they are used.
type mailbox struct{ dir string }

func (m mailbox) send(to, subject, text string) error {
	now := time.Now().UTC()
	file, err := os.CreateTemp(m.dir, now.Format("20060102-150405.000000000")+"-*.txt") // 0600, and in order
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(file, "To: %s\nDate: %s\nSubject: %s\n\n%s", to, now.Format(time.RFC1123Z), subject, text)
	if closed := file.Close(); err == nil {
		err = closed
	}
	return err
}

// A letter is a mail, cut up for its page.
type letter struct{ Before, Link, After string }

var linkInMail = regexp.MustCompile(`https?://\S+`)

// newest returns the last mails.
func (m mailbox) newest(n int) ([]letter, error) {
	paths, err := filepath.Glob(filepath.Join(m.dir, "*.txt"))
	if err != nil {
		return nil, err
	}
	slices.Reverse(paths)
	var letters []letter
	for _, path := range paths[:min(n, len(paths))] {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		l := letter{Before: string(text)}
		if at := linkInMail.FindIndex(text); at != nil {
			l = letter{string(text[:at[0]]), string(text[at[0]:at[1]]), string(text[at[1]:])}
		}
		letters = append(letters, l)
	}
	return letters, nil
}

// showMail is for the demonstration alone, as the mailbox is: it shows everybody's
// mails to everybody.
func (a *app) showMail(w http.ResponseWriter, r *http.Request) error {
	letters, err := a.mail.newest(20)
	if err != nil {
		return err
	}
	return a.show(w, r, http.StatusOK, "mail", view{Data: letters})
}
