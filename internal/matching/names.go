package matching

import (
	_ "embed" // first names
	"regexp"
	"slices"
	"strings"
	"unicode"

	"generalbackend/internal/domain"
)

//go:embed names.txt
var namesText string

// nameBook knows first names, in canonical form. False marks names that are
// words as well.
type nameBook struct{ first map[string]bool }

func newNameBook() *nameBook {
	b := &nameBook{map[string]bool{}}
	for line := range strings.Lines(namesText) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		rest, ambiguous := strings.CutPrefix(line, "?")
		for _, name := range strings.Fields(rest) {
			b.first[canon(name)] = !ambiguous
		}
	}
	return b
}

// canon writes a name so that its spellings are equal: Müller, MUELLER, Mueller.
func canon(word string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(word) {
		switch r {
		case 'ä', 'æ':
			b.WriteString("ae")
		case 'ö', 'ø', 'œ':
			b.WriteString("oe")
		case 'ü':
			b.WriteString("ue")
		case 'ß':
			b.WriteString("ss")
		case 'ł':
			b.WriteRune('l')
		case 'ı':
			b.WriteRune('i')
		default:
			b.WriteRune(base(r))
		}
	}
	return b.String()
}

// plainCanon is how a name is spelt where umlauts lost their dots.
func plainCanon(word string) string {
	return canon(strings.NewReplacer("ä", "a", "ö", "o", "ü", "u", "Ä", "A", "Ö", "O", "Ü", "U").Replace(word))
}

// names are the words of a person's name, as they are learnt.
type names struct {
	words map[string]bool // canonical
	hints []string        // from mail addresses, links and file names
}

func newNames() *names { return &names{words: map[string]bool{}} }

func (n *names) add(word string) {
	for _, part := range strings.FieldsFunc(word, func(r rune) bool { return !isWordRune(r) }) {
		if len([]rune(part)) > 1 {
			n.words[canon(part)], n.words[plainCanon(part)] = true, true
		}
	}
}

// has knows a word, with an ending of the genitive too.
func (n *names) has(word string) bool {
	c := canon(word)
	if n.words[c] {
		return true
	}
	stem, genitive := strings.CutSuffix(c, "s")
	return genitive && len(stem) > 2 && n.words[stem]
}

// hinted reports whether a mail address, link or file name spells the word.
func (n *names) hinted(word string) bool {
	for _, c := range []string{canon(word), plainCanon(word)} {
		if len(c) > 2 && slices.ContainsFunc(n.hints, func(h string) bool { return strings.Contains(h, c) }) {
			return true
		}
	}
	return false
}

var (
	titles      = regexp.MustCompile(`(?i)(?:^|\s)(?:dr|prof|dipl|ing|med|rer|nat|phil|h\.c|m\.?sc|b\.?sc|m\.?a|b\.?a|m\.?b\.?a|mba|ph\.?d|m\.?d|r\.?n|cpa|jr|sr|ii|iii)(?:\.|\b)(?:-\pL+\.?)*`)
	documentIs  = regexp.MustCompile(`(?i)^\W*(?:mein\s+)?(?:lebenslauf|curriculum vitae|c\.?v\.?|r[eé]sum[eé]|bewerbung(?:sunterlagen|smappe|sschreiben)?|anschreiben|cover letter|profile?|application|zeugnis|arbeitszeugnis|hoja de vida)\b(?:\s+(?:von|of|für|for|de|der|des))?\s*[:|–—-]?\s*`)
	pieceBreak  = regexp.MustCompile(`\s*[|•·\t]\s*|\s+[–—-]\s+|\s{3,}|,\s+`)
	particles   = regexp.MustCompile(`(?i)^(?:von|van|vom|zu|zur|zum|de|del|della|di|da|dos|den|der|la|le|al|el|bin|ibn|ben|abu|af|av|ter|ten|und|y|e|mc|mac|st\.?)$`)
	honorific   = regexp.MustCompile(`(?:^|[^\pL\pN])((?:Herrn?|Frau|Mr\.?|Mrs\.?|Ms\.|Miss|Señora?|Sra\.)(?:\s+(?:Dr|Prof|Dipl)\.?(?:-\pL+\.?)?)*\s+((?:von|van|de|zu)\s+)?(?:\p{Lu}\.\s*)?\p{Lu}[\pL'’-]+)(?:\s+(\p{Lu}[\pL'’-]+))?`)
	academic    = regexp.MustCompile(`(?:^|[^\pL\pN])(?:Dr|Prof)\.(?:\s*(?:Dr|med|rer|nat|phil|Ing|h\.c)\.)*\s+((?:\p{Lu}\.\s*)?\p{Lu}[\pL'’-]+(?:(?:\s+\p{Lu}\.)?\s+(?:(?:von|van|de)\s+)?\p{Lu}[\pL'’-]+)?)`)
	town        = regexp.MustCompile(`(?i)(?:^|[^\pL])(?:san|santa|santo|st\.?|saint|sankt|los|las|fort|mount|port|new)[ -]$`)
	closing     = regexp.MustCompile(`(?im)^[^\n]*(?:freundlichen grüßen|freundliche grüße|beste grüße|hochachtungsvoll|mit besten grüßen|viele grüße|yours (?:sincerely|faithfully|truly)|sincerely|kind regards|best regards|regards|atentamente|saludos)[,.!]?[ \t]*\n+([^\n]{3,60})`)
	spaced      = regexp.MustCompile(`(?m)^[ \t]*((?:\pL ){2,}\pL(?: {2,}(?:\pL ){1,}\pL)*)[ \t]*$`)
	company     = regexp.MustCompile(`^[ \t]*(?:[&+]|(?:GmbH|gGmbH|AG|KG|KGaA|SE|OHG|GbR|e\.V|Inc|LLC|LLP|Ltd|Limited|Corp|Corporation|Company|Co|Plc|PLC|Stiftung|Foundation|Institut[e]?|Universit\pL+|University|Hochschule|Schule|School|College|Klinik\pL*|Krankenhaus|Hospital|Clinic|Gymnasium|Realschule|Verlag|Bank|Group|Gruppe|Holding|Museum|High|Community|County|Elementary|Memorial|Medical|Deaconess|Church|Cathedral|Center|Centre|Magazine|Extension|Theat\pL+|Library|Airport|Hotel|Award|Preis|Prize)(?:[^\pL]|$))`)
	fileNoise   = regexp.MustCompile(`(?i)^(?:lebenslauf|cv|curriculum|vitae|resume|résumé|bewerbung|anschreiben|zeugnis\pL*|application|cover|letter|profile?|final|neu|new|copy|kopie|scan|document|dokument|page|seite|deutsch|english|german|de|en|v\d+|mit|ohne|und|and|of|von|for|für|anna?lagen|the|pdf|docx?|txt|odt|rtf)$`)
	mailGeneric = regexp.MustCompile(`(?i)^(?:info|mail|e?mail|kontakt|contact|bewerbung|job|jobs|office|cv|work|me|post|hello|hallo|team|hr|career|karriere|private?|the|der|die|www|http|https|com|in|linkedin|xing|profile|github)$`)
)

// learn collects the words of the applicant's name from labels, mail addresses,
// links, the file's name, the head of the document and its signature.
func (m *masker) learn(n *names, s *Source, p places, found []hidden) {
	text := []rune(p.text)
	n.hint(strings.TrimSuffix(s.Filename, fileExtension(s.Filename)), fileNoise)
	for _, h := range found {
		value := string(text[h.from:h.to])
		switch h.kind {
		case domain.MaskName:
			n.addName(value)
		case domain.MaskEmail:
			local, _, _ := strings.Cut(value, "@")
			n.hint(local, mailGeneric)
		case domain.MaskSocial, domain.MaskLink:
			n.hint(value, mailGeneric)
		}
	}
	m.learnHead(n, p.text)
	for _, c := range closing.FindAllStringSubmatch(p.text, -1) {
		if m.isName(n, c[1], true) {
			n.addName(c[1])
		}
	}
}

func fileExtension(name string) string {
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		return name[i:]
	}
	return ""
}

// hint keeps the words of an address, together and apart.
func (n *names) hint(text string, noise *regexp.Regexp) {
	var all strings.Builder
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.Is(unicode.Mn, r) }) {
		if !noise.MatchString(word) && len([]rune(word)) > 2 {
			n.hints = append(n.hints, canon(word), plainCanon(word))
			all.WriteString(canon(word))
		}
	}
	n.hints = append(n.hints, all.String())
}

// addName adds the words of a full name, without titles and particles.
func (n *names) addName(value string) {
	for _, word := range strings.Fields(titles.ReplaceAllString(value, " ")) {
		if word = strings.Trim(word, ",;:()"); !particles.MatchString(word) && startsUpper(word) {
			n.add(word)
		}
	}
}

func startsUpper(word string) bool {
	for _, r := range word {
		return unicode.IsUpper(r)
	}
	return false
}

const headLines = 14 // where documents name their author

// learnHead looks for the name among the first lines.
func (m *masker) learnHead(n *names, text string) {
	seen := 0
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		if seen++; seen > headLines {
			return
		}
		line = documentIs.ReplaceAllString(line, "")
		if spaced.MatchString(line) {
			line = unspace(line)
		}
		first := seen <= 3
		sure := first && contactNear(lines, i)
		if m.isName(n, strings.ReplaceAll(line, ",", " "), sure) {
			n.addName(line)
			continue
		}
		for _, piece := range pieceBreak.Split(line, -1) {
			if m.isName(n, piece, sure) {
				n.addName(piece)
			}
		}
	}
}

// contactNear reports whether a contact follows within a few lines, as it does
// below a name.
func contactNear(lines []string, at int) bool {
	for _, line := range lines[at+1 : min(len(lines), at+9)] {
		p := newPlaces(line)
		if len(p.match(contacts)) > 0 {
			return true
		}
	}
	return false
}

func unspace(line string) string {
	var out []string
	for _, part := range regexp.MustCompile(`\s{2,}`).Split(strings.TrimSpace(line), -1) {
		out = append(out, strings.ReplaceAll(part, " ", ""))
	}
	return strings.Join(out, " ")
}

// isName reports whether a piece of a line is a person's name and nothing else:
// capitalised words of which one is a first name or spelt in an address. Where
// a name must stand, words that are no trade's are enough.
func (m *masker) isName(n *names, piece string, sure bool) bool {
	words := strings.Fields(titles.ReplaceAllString(strings.TrimSpace(piece), " "))
	if len(words) == 0 || len(words) > 5 || town.MatchString(words[0]+" ") {
		return false
	}
	known, trade, counted := false, false, 0
	for _, word := range words {
		bare := strings.Trim(word, ".,;:()'’")
		if particles.MatchString(bare) {
			continue
		}
		if !startsUpper(bare) || strings.ContainsAny(bare, "0123456789@/&+#") {
			return false
		}
		counted++
		first, _, _ := strings.Cut(bare, "-")
		_, listed := m.names.first[canon(first)]
		spelt := n.hinted(bare) || n.hinted(first)
		known = known || listed || spelt
		trade = trade || m.isTrade(bare) && !spelt
	}
	switch {
	case counted == 0:
		return false
	case trade:
		// "Anna Koch" is a name although a Koch is a cook; "Will Manager" is not.
		return known && counted > 1 && m.names.first[canon(strings.Split(words[0], "-")[0])]
	case known:
		return true
	}
	return sure && counted >= 2 && counted <= 4 && !isHeading(piece)
}

// isHeading knows lines that begin a section.
func isHeading(line string) bool {
	return headingSection(line) != sectionUnknown || headingWords.MatchString(line)
}

var headingWords = regexp.MustCompile(`(?i)\b(?:summary|objective|highlights|accomplishments|history|employment|work|career|interests|references|personal|persönliche|daten|angaben|beruf\pL*|werdegang|ausbildung|bildungsweg|sprachen|languages|hobb\pL+|kontakt|contact|details|information|professional|core|key|technical|projekte?|projects?|praktik\pL+|education|experience|skills|lebenslauf)\b`)

// isTrade reports whether a word belongs to a field of work.
func (m *masker) isTrade(word string) bool {
	runes := []rune(word)
	for _, lang := range languages() {
		for _, t := range m.rules.lexicon.terms(runes, 0, len(runes), lang) {
			if t.concept >= 0 {
				return true
			}
		}
		if _, generic := m.rules.lexicon.weights[lang][strings.ToLower(word)]; generic {
			return true
		}
	}
	return false
}
