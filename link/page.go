package link

import (
	"bytes"
	"html/template"
	"net/http"
)

// A PageKind says what a page tells.
type PageKind string

// The pages.
const (
	PageSent    PageKind = "sent"    // if there is such an account, a mail is on its way
	PageConfirm PageKind = "confirm" // press the button to go on
	PageCode    PageKind = "code"    // type the code that is in the mail
	PageInvalid PageKind = "invalid" // the link is not valid, or not any more
	PageWrong   PageKind = "wrong"   // the request is not one of these forms
	PageBusy    PageKind = "busy"    // try again later
)

// A Page is what Config.Page is executed with. Of PageConfirm and PageCode the
// template makes a form that posts Token as "token", and the code that is typed as
// "code", to Action. It must load nothing from elsewhere: the pages'
// Content-Security-Policy forbids it, and scripts as well.
type Page struct {
	Kind    PageKind
	Purpose string
	Action  string // the path of Config.Base
	Token   string // secret; only in a hidden field
	Again   bool   // of PageCode: the code that was typed is not valid
}

// maxForm bounds the body of a form, in bytes.
const maxForm = 8 << 10

// answer answers with a page.
func (f *Flow) answer(w http.ResponseWriter, status int, p Page) {
	p.Purpose, p.Action = f.config.Purpose, f.base.EscapedPath()
	if p.Action == "" {
		p.Action = "/"
	}
	var b bytes.Buffer
	if err := f.config.Page.Execute(&b, p); err != nil {
		// Its error may quote what it was executed with.
		http.Error(w, "the page could not be made", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	setHeaders(h)
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	w.WriteHeader(status)
	w.Write(b.Bytes()) // whether it arrives is the browser's business
}

// setHeaders keeps a page and the address that it was opened with to the browser.
func setHeaders(h http.Header) {
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Robots-Tag", "noindex")
}

// post is the handler of a form: of this site, by POST, and of a bounded size.
func (f *Flow) post(handle http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			f.answer(w, http.StatusMethodNotAllowed, Page{Kind: PageWrong})
			return
		}
		if f.origin.Check(r) != nil {
			f.answer(w, http.StatusForbidden, Page{Kind: PageWrong})
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if r.ParseForm() != nil {
			f.answer(w, http.StatusBadRequest, Page{Kind: PageWrong})
			return
		}
		handle(w, r)
	})
}

// formValue is the value of a field that the form has once. What comes in the
// query is not looked at.
func formValue(r *http.Request, field string) (string, bool) {
	values := r.PostForm[field]
	if len(values) != 1 || values[0] == "" || len(values[0]) > maxValue {
		return "", false
	}
	return values[0], true
}

// maxValue bounds a field, in bytes.
const maxValue = 512

var plainPage = template.Must(template.New("page").Parse(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex">
<title>{{if eq .Kind "sent"}}Look into your mail{{else if eq .Kind "confirm"}}Go on{{else if eq .Kind "code"}}Type the code{{else}}Not possible{{end}}</title>
<style>body{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:4rem auto;padding:0 1rem}input,button{font:inherit;padding:.4rem .8rem}</style>
</head>
<body>
{{- if eq .Kind "sent"}}
<p>If there is an account with this address, a mail is on its way to it. The link in it works once.</p>
{{- else if eq .Kind "confirm"}}
<form method="post" action="{{.Action}}">
<p>You opened a link from a mail. It is used up when you go on.</p>
<input type="hidden" name="token" value="{{.Token}}">
<button autofocus>Go on</button>
</form>
{{- else if eq .Kind "code"}}
<form method="post" action="{{.Action}}">
{{- if .Again}}
<p role="alert">This code is not valid. Try again, or ask for a new mail.</p>
{{- end}}
<p><label>This link was asked for in another browser. Type the code from the same mail to go on here:
<input name="code" inputmode="numeric" autocomplete="one-time-code" required autofocus></label></p>
<input type="hidden" name="token" value="{{.Token}}">
<button>Go on</button>
</form>
{{- else if eq .Kind "invalid"}}
<p>This link is not valid, or not any more. Ask for a new one.</p>
{{- else if eq .Kind "busy"}}
<p>This cannot be done just now. Try again in a moment.</p>
{{- else}}
<p>This page was called in a way that it does not know. Go back, and try again.</p>
{{- end}}
</body>
</html>
`))
