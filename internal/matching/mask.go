package matching

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"generalbackend/internal/domain"
)

// marks are what a judge reads instead of what is masked.
var marks = map[domain.MaskKind]string{
	domain.MaskName: "[Name]", domain.MaskPhoto: "[Photo]", domain.MaskBirth: "[Birth]", domain.MaskGender: "[Gender]",
	domain.MaskMarital: "[Marital status]", domain.MaskNationality: "[Nationality]", domain.MaskReligion: "[Religion]",
	domain.MaskAddress: "[Address]", domain.MaskEmail: "[E-mail]", domain.MaskPhone: "[Phone]",
	domain.MaskLink: "[Link]", domain.MaskSocial: "[Profile]",
}

// pattern finds what is to be hidden of one kind: its first group, or all of it
// where there is none.
type pattern struct {
	kind domain.MaskKind
	re   *regexp.Regexp
	ok   func(value string) bool // nil: always
}

// Words are bounded by what is no letter: \b knows ASCII only.
const (
	before = `(?:^|[^\pL\pN])`
	after  = `(?:[^\pL\pN]|$)`
	month  = `(?:jan|feb|mär|mar|mrz|apr|mai|may|jun|jul|aug|sep|okt|oct|nov|dez|dec)\pL*\.?`
	day    = `(?:\d{1,2}\.\s?\d{1,2}\.\s?(?:\d{4}|\d{2})|\d{1,2}[/-]\d{1,2}[/-](?:\d{4}|\d{2})|\d{4}-\d{2}-\d{2}|\d{1,2}\.?\s+` + month + `,?\s+\d{4}|` + month + `\s+\d{1,2},?\s+\d{4})`
	amount = `(?:\d{1,2}|ein|eine[ms]?|zwei|drei|vier|fünf|kein[e]?|one|two|three|four|five|no)`
)

// contacts are hidden in postings, too: who is to be asked is no requirement.
var contacts = []pattern{
	{domain.MaskEmail, regexp.MustCompile(`(?i)(?:mailto:)?[\pL\pN._%+'-]+[ \t]*@[ \t]*\n?[\pL\pN-]+(?:\.[\pL\pN-]+)*\.\pL{2,}`), nil},
	{domain.MaskEmail, regexp.MustCompile(`(?i)[\pL\pN._%+-]+\s?[(\[{]\s?(?:at|ät)\s?[)\]}]\s?[\pL\pN-]+(?:\s?(?:[(\[{]\s?(?:dot|punkt)\s?[)\]}]|\.)\s?[\pL\pN-]+)+`), nil},
	{domain.MaskSocial, regexp.MustCompile(`(?i)(?:https?://)?(?:[\pL\pN-]+\.)*(?:linkedin|xing|facebook|instagram|twitter|tiktok|github|gitlab|bitbucket|behance|dribbble|medium|stackoverflow|youtube|pinterest|threads|mastodon|bsky|researchgate|orcid|kaggle|t|x|fb|wa|about)\.(?:com|org|net|io|app|me|de|social)/[^\s|<>"“”)]+`), nil},
	{domain.MaskLink, regexp.MustCompile(`(?i)(?:https?|ftp)://[^\s|<>"“”)]+`), nil},
	{domain.MaskLink, regexp.MustCompile(`(?i)` + before + `(www\.[^\s|<>"“”)]+)`), nil},
	{domain.MaskPhone, regexp.MustCompile(`(?:\+|\(|\b)(?:\d|\(0\)|\(\d)[\d ()./–-]{5,}\d`), isPhone},
}

var personal = []pattern{
	{domain.MaskBirth, regexp.MustCompile(`(?i)` + before + `((?:geb(?:oren|urtsdatum|\.)?|born|née?|geborene?)\s*:?\s*(?:am|on|in)?\s*` + day + `(?:,?\s+(?:in|zu)\s+\pL[\pL -]*)?)`), nil},
	{domain.MaskBirth, regexp.MustCompile(`(?i)(\*\s?` + day + `(?:,?\s+(?:in\s+)?\pL[\pL -]*)?)`), nil},
	{domain.MaskBirth, regexp.MustCompile(`(?i)` + before + `(geboren(?:e[rn]?)?\s+(?:in|im)\s+[\pL ]{2,40}?(?:19|20)\d{2}|(?:geboren|born)\s+in\s+(?:19|20)\d{2}|jahrgang\s+(?:19|20)\d{2})` + after), nil},
	{domain.MaskBirth, regexp.MustCompile(`(?i)` + before + `(\d{2}\s+jahre?\s+alt|\d{2}[- ]years?[- ]old|aged?:?\s+\d{2}|\d{2}-jährige[rn]?)` + after), nil},
	{domain.MaskMarital, regexp.MustCompile(`(?i)` + before + `((?:glücklich\s+|nicht\s+)?(?:verheiratet|ledig|geschieden|verwitwet|getrennt lebend|alleinerziehend\pL*|married|unmarried|divorced|widowed|casad[oa]|solter[oa])(?:\s*(?:,|und|and|mit|with)?\s*` + amount + `\s+(?:kind(?:er|ern)?|child(?:ren)?|kids|söhne?|töchter))?)` + after), nil},
	{domain.MaskMarital, regexp.MustCompile(`(?i)` + before + `((?:vater|mutter|father|mother|mum|mom|dad|parent)\s+(?:von|of)\s+` + amount + `(?:\s+\pL+)?)` + after), nil},
	{domain.MaskGender, regexp.MustCompile(`(?i)` + before + `(männlich|weiblich)` + after), nil},
	{domain.MaskNationality, regexp.MustCompile(`(?i)` + before + `(\pL+e?\s+(?:staatsangehörig\pL*|staatsbürger\pL*))`), nil},
	{domain.MaskNationality, regexp.MustCompile(before + `((?:U\.?S\.?|E\.?U\.?|\p{Lu}\pL+)\s+[Cc]itizen(?:ship)?)` + after), nil},
	{domain.MaskReligion, regexp.MustCompile(`(?i)` + before + `(röm(?:isch|\.)?[- ]kath(?:olisch|\.)?|evangelisch(?:-lutherisch)?|konfessionslos)` + after), nil},
	{domain.MaskAddress, regexp.MustCompile(before + `((?:\p{Lu}[\pL.-]*[ -])?(?:\p{Lu}\pL*|\p{Lu}[\pL-]*-)?(?:[Ss]traße|[Ss]trasse|[Ss]tr\.|[Gg]asse|[Aa]llee|[Cc]haussee|(?:\p{Lu}?\pL{3,})(?:weg|platz|ring|damm|ufer|steig|markt))\s+\d{1,3}\s?[a-z]?(?:[,\s]+(?:[A-Z]{1,2}-)?\d{4,5}\s+\p{Lu}\pL+)?)` + after), isStreet},
	{domain.MaskAddress, regexp.MustCompile(before + `((?:Am|An der|An den|Auf der|Auf dem|Im|In der|In den|Zum|Zur|Unter den|Hinter der|Alte|Alter|Neue)\s+\p{Lu}[\pL-]+(?:\s\p{Lu}[\pL-]+)?\s+\d{1,4}\s?[a-z]?)(?:\s*[,\n|]|$)`), nil},
	{domain.MaskAddress, regexp.MustCompile(`(?m)(?:^|[,|•·(])[ \t]*((?:(?:D|A|CH|DE|AT)-)?\d{5}[ \t]+\p{Lu}[\pL.-]+(?:[ \t](?:am|an der|im|a\.|ob der|in)[ \t]\p{Lu}[\pL.]+)?(?:[ \t]\(\pL+\))?)[ \t]*(?:[,|•·)\n]|$)`), nil},
	{domain.MaskAddress, regexp.MustCompile(before + `((?:D|A|CH|DE|AT)-\d{4,5}[ \t]+\p{Lu}[\pL.-]+)`), nil},
	{domain.MaskAddress, regexp.MustCompile(before + `(\d{1,6}\s+(?:[NSEW]\.?\s+)?(?:\p{Lu}[\pL'.-]*\s+){1,4}(?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Ct|Way|Place|Pl|Square|Terrace|Crescent|Close|Parkway|Pkwy|Highway|Hwy|Circle|Cir)\b\.?(?:,?\s+(?:Apt|Apartment|Suite|Ste|Unit|Flat|#)\.?\s*#?\w+)?(?:,\s*\p{Lu}[\pL .'-]+,\s*[A-Z]{2}(?:\s+\d{5}(?:-\d{4})?)?)?)`), nil},
	{domain.MaskAddress, regexp.MustCompile(before + `(\p{Lu}[\pL .'-]{1,30},\s*[A-Z]{2}\s+\d{5}(?:-\d{4})?)` + after), nil},
	{domain.MaskAddress, regexp.MustCompile(before + `([A-Z]{1,2}\d[A-Z\d]?\s\d[A-Z]{2})` + after), nil},
	{domain.MaskAddress, regexp.MustCompile(`(?i)` + before + `((?:p\.?\s?o\.?\s?box|postfach)\s+[\d ]{2,10})`), nil},
	{domain.MaskPhoto, regexp.MustCompile(`(?i)(!\[[^\]\n]*\]\([^)\n]*\))`), nil},
	{domain.MaskPhoto, regexp.MustCompile(`(?i)([\pL\pN_.() -]*[\pL\pN_)]\.(?:jpe?g|png|gif|webp|heic|tiff?|bmp))` + after), nil},
	{domain.MaskPhoto, regexp.MustCompile(`(?i)` + before + `((?:bewerbungs|pass|profil|portrait)[- ]?(?:foto|bild|photo|picture)s?|lichtbild|passport photo|\[(?:photo|foto|bild|picture|image)\])` + after), nil},
	{domain.MaskPhoto, regexp.MustCompile(`(?im)^[ \t]*(photo|foto|bild|picture)[ \t]*$`), nil},
}

// isPhone tells telephone numbers from dates, amounts and years.
func isPhone(value string) bool {
	digits := strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return r
		}
		return -1
	}, value)
	if len(digits) < 7 || len(digits) > 16 || datesOnly.MatchString(value) {
		return false
	}
	return strings.HasPrefix(value, "+") || strings.HasPrefix(value, "(") || strings.HasPrefix(digits, "0") ||
		americanPhone.MatchString(value)
}

// isStreet drops English words in -ing before a number: "Engineering 06".
func isStreet(value string) bool { return !participle.MatchString(value) }

var (
	datesOnly     = regexp.MustCompile(`^(?:(?:\d{1,2}[./-]\s?)?(?:\d{1,2}[./-]\s?)?(?:19|20)\d{2}|(?:19|20)\d{2}-\d{1,2}(?:-\d{1,2})?|\d{1,2}\.\d{1,2}\.\d{2}|\d{1,2}/\d{2}|[ –./()-])+$`)
	participle    = regexp.MustCompile(`[aeiou]ring\s`)
	americanPhone = regexp.MustCompile(`^\(?\d{3}\)?[-. ]{1,3}\d{3}[-. ]{1,3}\d{4}$|^1?[ -.]?\(?\d{3}\)?[-. ]{1,3}\d{3}[-. ]{1,3}\d{4}$|^\d{10,11}$`)
)

// labelled are values that a label announces. Strict labels want a colon; the
// others take a wide gap or the next line, as in tables.
var labelled = []struct {
	kind   domain.MaskKind
	strict bool
	words  string
}{
	{domain.MaskName, true, `name|vor- und (?:nach|zu)name|vor-/nachname|vornamen?|(?:nach|familien|geburts|zu)name|full name|(?:first|last|middle|given|family|maiden) names?|surname|bewerber(?:in)?|applicant|candidate|kandidat(?:in)?|nombre(?: completo)?|apellidos`},
	{domain.MaskBirth, false, `geburts(?:datum|tag|ort)|geburtsdatum(?:\s*(?:/|und)\s*-?(?:geburts)?ort)?|date of birth|d\.o\.b\.|dob|birth ?date|place of birth|fecha de nacimiento|lugar de nacimiento`},
	{domain.MaskBirth, true, `geboren(?: am)?|geb\.(?: am)?|alter|age|born|birthday|edad`},
	{domain.MaskGender, true, `geschlecht|gender|sex|sexo|pronouns?|pronomen|anrede`},
	{domain.MaskMarital, false, `familienstand|personenstand|marital status|civil status|estado civil`},
	{domain.MaskMarital, true, `kinder|children|hijos`},
	{domain.MaskNationality, false, `staatsangehörigkeit(?:en)?|staatsbürgerschaft|nationalität(?:en)?|nationality|citizenship|nacionalidad`},
	{domain.MaskReligion, false, `konfession|religionszugehörigkeit|religion`},
	{domain.MaskAddress, true, `(?:wohn|privat|home |postal |mailing |current )?(?:adresse|anschrift|address)|wohnort|wohnhaft(?: in)?|place of residence|residence|domicilio|dirección|straße|plz(?:\s?/\s?ort)?`},
	{domain.MaskPhone, true, `tel|tel\.|telefon(?:nummer)?|mobil(?:telefon|nummer)?|handy(?:nummer)?|festnetz|(?:tele|mobile |cell ?|home |work )?phone(?: (?:number|no\.?))?|mobile|cell|fax|whatsapp|teléfono|móvil`},
	{domain.MaskEmail, true, `e-?mail(?:[- ]?adress?e?)?|mail|correo`},
	{domain.MaskSocial, true, `skype|linkedin|xing|github|gitlab|twitter|facebook|instagram|telegram|signal|tiktok|discord|mastodon|bluesky`},
	{domain.MaskLink, true, `website|homepage|webseite|web|portfolio|blog|url`},
	{domain.MaskPhoto, true, `photo|foto|picture|bild`},
}

// label is labelled, compiled.
type label struct {
	kind domain.MaskKind
	re   *regexp.Regexp
}

func labels() []label {
	out := make([]label, len(labelled))
	for i, l := range labelled {
		gap := `[ \t]*[:：][ \t]*\n?[ \t]*`
		if !l.strict {
			gap = `(?:` + gap + `|\t+[ \t]*| {2,}|[ \t]*\n[ \t]*)`
		}
		out[i] = label{l.kind, regexp.MustCompile(`(?im)(?:^|[|•·;\t(/]|,| {2,})[ \t]*(?:[-–*•▪]\s*)?(?:` + l.words + `)` + gap + `([^\n|;•·\t]{1,120})`)}
	}
	return out
}

// valueEnd is where a value ends and the next label begins.
var valueEnd = regexp.MustCompile(` {3,}|,?\s+\pL[\pL./-]{2,25}(?: \pL[\pL/-]+)?\s?[:：]`)

// places turns byte offsets of a text into runes.
type places struct {
	text  string
	runes []int // by byte
}

func newPlaces(text string) places {
	p := places{text, make([]int, len(text)+1)}
	n := 0
	for i, r := range text {
		for k := range utf8.RuneLen(r) {
			p.runes[i+k] = n
		}
		n++
	}
	p.runes[len(text)] = n
	return p
}

func (p places) hidden(from, to int, kind domain.MaskKind) hidden {
	for from < to && strings.ContainsRune(" \t\n,", rune(p.text[from])) {
		from++
	}
	for to > from && strings.ContainsRune(" \t\n,", rune(p.text[to-1])) {
		to--
	}
	return hidden{p.runes[from], p.runes[to], marks[kind], kind}
}

// match finds what patterns describe.
func (p places) match(patterns []pattern) []hidden {
	var out []hidden
	for _, pat := range patterns {
		for _, m := range pat.re.FindAllStringSubmatchIndex(p.text, -1) {
			from, to := m[len(m)-2], m[len(m)-1]
			if pat.ok == nil || pat.ok(p.text[from:to]) {
				out = append(out, p.hidden(from, to, pat.kind))
			}
		}
	}
	return out
}

// announced finds the values of labels; several may stand in one line.
func (p places) announced(labels []label) []hidden {
	var out []hidden
	for _, l := range labels {
		for at := 0; at < len(p.text); {
			m := l.re.FindStringSubmatchIndex(p.text[at:])
			if m == nil {
				break
			}
			from, to := at+m[2], at+m[3]
			if end := valueEnd.FindStringIndex(p.text[from:to]); end != nil {
				to = from + end[0]
			}
			if announces(l.kind, p.text[from:to]) {
				out = append(out, p.hidden(from, to, l.kind))
			}
			at = max(to, at+m[0]+1)
		}
	}
	return out
}

// announces drops values that the label cannot mean: "Web: built shops" is
// work, "Web: anna.example" is an address.
func announces(kind domain.MaskKind, value string) bool {
	words := strings.Fields(value)
	switch kind {
	case domain.MaskSocial, domain.MaskLink:
		return len(words) == 1
	case domain.MaskPhone:
		return strings.ContainsAny(value, "0123456789")
	case domain.MaskEmail:
		return len(words) == 1 || strings.ContainsAny(value, "@([")
	case domain.MaskName:
		return len(words) <= 6
	case domain.MaskPhoto, domain.MaskGender:
		return len(words) <= 3
	}
	return len(words) > 0 && len(words) <= 14
}

// masker hides who a person is. It is safe for concurrent use.
type masker struct {
	rules  *Rules
	labels []label
	names  *nameBook
}

func newMasker(rules *Rules) *masker { return &masker{rules, labels(), newNameBook()} }

// maskPerson hides one person's traits in all of the person's documents: a name
// that one of them gives away is hidden in the others, too.
func (m *masker) maskPerson(sources []*Source) {
	found := make([][]hidden, len(sources))
	names := newNames()
	for i, s := range sources {
		p := newPlaces(s.Text())
		found[i] = slices.Concat(p.match(contacts), p.match(personal), p.announced(m.labels))
		m.learn(names, s, p, found[i])
	}
	for i, s := range sources {
		found[i] = append(found[i], m.hideNames(names, s)...)
		s.hide(joinHidden(found[i]))
	}
}

// maskContacts hides addresses and numbers, as in a posting.
func (m *masker) maskContacts(s *Source) { s.hide(joinHidden(newPlaces(s.Text()).match(contacts))) }

// countMasks says what was hidden in a person's documents.
func countMasks(sources []*Source) []domain.Mask {
	var out []domain.Mask
	for _, s := range sources {
		for _, h := range s.masks {
			i := slices.IndexFunc(out, func(m domain.Mask) bool { return m.Kind == h.kind })
			if i < 0 {
				i, out = len(out), append(out, domain.Mask{Kind: h.kind})
			}
			out[i].Count++
		}
	}
	slices.SortFunc(out, func(a, b domain.Mask) int { return strings.Compare(string(a.Kind), string(b.Kind)) })
	return out
}
