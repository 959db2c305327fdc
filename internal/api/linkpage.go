package api

import (
	"bytes"
	"context"
	"encoding/json"
	"html/template"
	"net/http"
	"strings"

	"generalbackend/internal/domain"
)

// linkPage is what a browser sees that follows a mailed link: the form, what came
// of it, or what is wrong. It needs no script, and loads nothing.
type linkPage struct {
	Form    string // "verify" or "reset"
	Done    string // the same
	Token   string
	Email   string
	Problem string
	words
}

// words are the texts of the page in one language.
type words struct {
	Language                                        string
	VerifyTitle, VerifyAsk, VerifyButton, Verified  string
	ResetTitle, ResetAsk, ResetButton, Reset, Wrong string
	ResetKeys                                       string
}

var englishWords = words{
	Language: "en", Wrong: "That did not work",
	VerifyTitle: "Confirm your e-mail address", VerifyAsk: "This address belongs to you:", VerifyButton: "Confirm", Verified: "The address is confirmed. You can log in now.",
	ResetTitle: "Set a new password", ResetAsk: "New password, at least 8 characters", ResetButton: "Save", ResetKeys: "Delete my API keys, too: programs that use them will be refused", Reset: "The new password is set, and all sessions were ended. Log in with it now.",
}

var germanWords = words{
	Language: "de", Wrong: "Das hat nicht geklappt",
	VerifyTitle: "E-Mail-Adresse bestätigen", VerifyAsk: "Diese Adresse gehört Ihnen:", VerifyButton: "Bestätigen", Verified: "Die Adresse ist bestätigt. Sie können sich jetzt anmelden.",
	ResetTitle: "Neues Passwort setzen", ResetAsk: "Neues Passwort, mindestens 8 Zeichen", ResetButton: "Speichern", ResetKeys: "Auch meine API-Schlüssel löschen: Programme, die sie benutzen, werden dann abgewiesen", Reset: "Das neue Passwort ist gesetzt, alle Sitzungen wurden beendet. Melden Sie sich jetzt damit an.",
}

var linkTemplate = template.Must(template.New("link").Parse(string(asset("link.html"))))

// linkPolicy lets the page send its form here and have its style.
const linkPolicy = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// Reader is who reads the answer: a browser or a program.
type Reader struct {
	Accept         string `header:"Accept" hidden:"true"`
	AcceptLanguage string `header:"Accept-Language" hidden:"true"`
}

// browser names HTML first.
func (r Reader) browser() bool {
	first, _, _ := strings.Cut(r.Accept, ",")
	return strings.HasPrefix(strings.TrimSpace(first), "text/html")
}

// words are those of the account's language, or else the browser's.
func (r Reader) words(language string) words {
	if language == "de" || language == "" && strings.HasPrefix(strings.ToLower(r.AcceptLanguage), "de") {
		return germanWords
	}
	return englishWords
}

// pageOutput is JSON, or a page.
type pageOutput struct {
	Status      int
	ContentType string `header:"Content-Type"`
	Policy      string `header:"Content-Security-Policy"`
	Body        []byte
}

// answer gives a browser the page, and everybody else the data or the error.
func (s *server) answer(ctx context.Context, to Reader, data any, page linkPage, language string, err error) (*pageOutput, error) {
	if !to.browser() {
		if err != nil {
			return nil, err
		}
		body, err := json.Marshal(data)
		return &pageOutput{Status: http.StatusOK, ContentType: "application/json", Policy: "default-src 'none'; frame-ancestors 'none'", Body: body}, err
	}
	page.words = to.words(language)
	status := http.StatusOK
	if err != nil {
		p := s.toProblem(ctx, err)
		if p.Status >= http.StatusInternalServerError || p.Status == statusClientGone {
			return nil, p
		}
		status, page.Problem, page.Done = p.Status, p.Detail, ""
		if p.Code != string(domain.CodeInvalid) {
			page.Form = ""
		}
	}
	var b bytes.Buffer
	err = linkTemplate.Execute(&b, page)
	return &pageOutput{Status: status, ContentType: "text/html; charset=utf-8", Policy: linkPolicy, Body: b.Bytes()}, err
}
