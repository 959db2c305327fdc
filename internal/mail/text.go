package mail

import (
	_ "embed"
	"html/template"
	"strings"

	"generalbackend/internal/domain"
)

// text is what a kind of mail says in one language. {about} stands for the
// address it names. Nothing that a stranger can choose freely gets into a mail.
type text struct {
	Subject string
	Before  []string // paragraphs above the link
	Button  string   // what the link does; empty without one
	After   []string // paragraphs below it
}

var (
	notYouEnglish = "If this was not you, set a new password at once, and look through your sessions and API keys."
	notYouGerman  = "Wenn Sie das nicht waren, setzen Sie sofort ein neues Passwort und prüfen Sie Ihre Sitzungen und API-Schlüssel."
)

var english = map[domain.MailKind]text{
	domain.MailVerify: {
		Subject: "Confirm your e-mail address",
		Before:  []string{"Please confirm that this e-mail address is yours. The link works once and for 48 hours."},
		Button:  "Confirm the address",
		After:   []string{"If you did not ask for this, you need not do anything."},
	},
	domain.MailReset: {
		Subject: "Set a new password",
		Before:  []string{"A new password was asked for, for the account with this e-mail address. The link works once and for one hour."},
		Button:  "Set a new password",
		After:   []string{"If you did not ask for this, you need not do anything: your password stays as it is."},
	},
	domain.MailTaken: {
		Subject: "You have an account already",
		Before:  []string{"Somebody wanted to use this e-mail address for an account. You have one with it already. If that was you, log in, or ask for a new password if you forgot yours."},
		Button:  "Log in",
		After:   []string{"If it was not you, you need not do anything. Nobody was told that your account exists."},
	},
	domain.MailRegistered: {
		Subject: "An account waits for approval",
		Before:  []string{"Somebody registered with the address {about}. The account can be used once an administrator activates it."},
	},
	domain.MailApproved: {
		Subject: "Your account was approved",
		Before:  []string{"An administrator has approved your account. You can log in now."},
		Button:  "Log in",
	},
	domain.MailPasswordChanged: {
		Subject: "Your password was changed",
		Before:  []string{"The password of your account was changed. All other sessions were ended.", notYouEnglish},
	},
	domain.MailEmailChanged: {
		Subject: "Your e-mail address was changed",
		Before:  []string{"The e-mail address of your account was changed to {about}.", notYouEnglish + " If you can no longer do that, ask an administrator for help."},
	},
}

var german = map[domain.MailKind]text{
	domain.MailVerify: {
		Subject: "Bestätigen Sie Ihre E-Mail-Adresse",
		Before:  []string{"Bitte bestätigen Sie, dass diese E-Mail-Adresse Ihnen gehört. Der Link gilt einmal und 48 Stunden lang."},
		Button:  "Adresse bestätigen",
		After:   []string{"Wenn Sie das nicht veranlasst haben, müssen Sie nichts tun."},
	},
	domain.MailReset: {
		Subject: "Neues Passwort setzen",
		Before:  []string{"Für das Konto mit dieser E-Mail-Adresse wurde ein neues Passwort angefordert. Der Link gilt einmal und eine Stunde lang."},
		Button:  "Neues Passwort setzen",
		After:   []string{"Wenn Sie das nicht veranlasst haben, müssen Sie nichts tun: Ihr Passwort bleibt, wie es ist."},
	},
	domain.MailTaken: {
		Subject: "Sie haben bereits ein Konto",
		Before:  []string{"Jemand wollte diese E-Mail-Adresse für ein Konto verwenden. Sie haben damit bereits eines. Wenn Sie das waren, melden Sie sich an, oder fordern Sie ein neues Passwort an, falls Sie Ihres vergessen haben."},
		Button:  "Anmelden",
		After:   []string{"Wenn Sie das nicht waren, müssen Sie nichts tun. Niemand hat erfahren, dass es Ihr Konto gibt."},
	},
	domain.MailRegistered: {
		Subject: "Ein Konto wartet auf Freigabe",
		Before:  []string{"Jemand hat sich mit der Adresse {about} registriert. Das Konto kann benutzt werden, sobald ein Administrator es aktiviert."},
	},
	domain.MailApproved: {
		Subject: "Ihr Konto wurde freigegeben",
		Before:  []string{"Ein Administrator hat Ihr Konto freigegeben. Sie können sich jetzt anmelden."},
		Button:  "Anmelden",
	},
	domain.MailPasswordChanged: {
		Subject: "Ihr Passwort wurde geändert",
		Before:  []string{"Das Passwort Ihres Kontos wurde geändert. Alle anderen Sitzungen wurden beendet.", notYouGerman},
	},
	domain.MailEmailChanged: {
		Subject: "Ihre E-Mail-Adresse wurde geändert",
		Before:  []string{"Die E-Mail-Adresse Ihres Kontos wurde in {about} geändert.", notYouGerman + " Wenn das nicht mehr geht, wenden Sie sich an einen Administrator."},
	},
}

// page is a text with a letter's particulars.
type page struct {
	text
	Language string
	Greeting string
	Link     string
	Hint     string // how to follow the link without a button
}

// compose chooses the text in the letter's language, English where there is none.
func compose(l domain.Letter) page {
	p := page{text: english[l.Kind], Language: "en", Greeting: "Hello,", Link: l.Link, Hint: "Or copy this address into your browser:"}
	if l.Language == "de" {
		p = page{text: german[l.Kind], Language: "de", Greeting: "Guten Tag,", Link: l.Link, Hint: "Oder kopieren Sie diese Adresse in Ihren Browser:"}
	}
	p.Before, p.After = named(p.Before, l.About), named(p.After, l.About)
	return p
}

func named(paragraphs []string, about string) []string {
	out := make([]string, len(paragraphs))
	for i, paragraph := range paragraphs {
		out[i] = strings.ReplaceAll(paragraph, "{about}", about)
	}
	return out
}

// plain is the mail as text alone.
func (p page) plain() string {
	parts := append([]string{p.Greeting}, p.Before...)
	if p.Link != "" {
		parts = append(parts, p.Button+":\n"+p.Link)
	}
	parts = append(parts, p.After...)
	return strings.Join(parts, "\n\n") + "\n\n--\u0020\n" + product + "\n"
}

const product = "General Backend"

//go:embed letter.html
var letterHTML string

var letterTemplate = template.Must(template.New("letter").Parse(letterHTML))

func (p page) html() (string, error) {
	var b strings.Builder
	err := letterTemplate.Execute(&b, p)
	return b.String(), err
}
