package story

import (
	"fmt"
	"strings"
	"time"

	"generalbackend/internal/domain"
)

// Book is a story as it is read: chapters in the order of the life, and what
// has no date at the end.
type Book struct {
	Title    string
	Subject  string
	Born     *time.Time
	Language string
	Made     time.Time
	Chapters []Chapter
}

// Chapter is a part of a book. Years is empty where the title says it.
type Chapter struct {
	Title    string
	Years    string
	Memories []domain.Memory
}

// NewBook makes chapters of a story, as of a day.
func NewBook(s domain.Story, memories []domain.Memory, now time.Time) Book {
	b := Book{Title: s.Title, Subject: s.Subject, Born: s.BornOn, Language: s.Language, Made: now}
	t := NewTimeline(s, memories, now)
	for _, p := range t.Phases {
		if len(p.Memories) == 0 {
			continue
		}
		c := Chapter{Title: p.Title, Memories: p.Memories}
		if s.BornOn != nil && !p.From.IsZero() {
			c.Years = years(p.Phase, s.Language, now)
		}
		b.Chapters = append(b.Chapters, c)
	}
	if len(t.Undated) > 0 {
		b.Chapters = append(b.Chapters, Chapter{Title: b.say("Ohne Jahreszahl", "At some time"), Memories: t.Undated})
	}
	return b
}

func years(p Phase, language string, now time.Time) string {
	if p.To.After(now) {
		if wording(language) == "de" {
			return fmt.Sprintf("seit %d", p.From.Year())
		}
		return fmt.Sprintf("since %d", p.From.Year())
	}
	return fmt.Sprintf("%d–%d", p.From.Year(), p.To.Year())
}

func (b Book) say(german, english string) string {
	if wording(b.Language) == "de" {
		return german
	}
	return english
}

// when is a memory's date; empty where it has none.
func (b Book) when(p domain.Period) string {
	if !p.Known() && p.Label == "" {
		return ""
	}
	return When(p, b.Language)
}

// birth says when the subject was born.
func (b Book) birth() string {
	if b.Born == nil {
		return ""
	}
	return b.say("geboren am ", "born on ") + dayText(*b.Born, wording(b.Language) == "de")
}

func (b Book) madeIn() string {
	return fmt.Sprintf(b.say("Aufgeschrieben im Jahr %d", "Written down in %d"), b.Made.Year())
}

// Markdown is the book as text.
func (b Book) Markdown() string {
	var out strings.Builder
	fmt.Fprintf(&out, "# %s\n\n", escape(b.Title))
	for _, line := range []string{b.Subject, b.birth(), b.madeIn()} {
		if line != "" {
			fmt.Fprintf(&out, "%s  \n", escape(line))
		}
	}
	for _, c := range b.Chapters {
		fmt.Fprintf(&out, "\n## %s\n", escape(c.Title))
		if c.Years != "" {
			fmt.Fprintf(&out, "\n*%s*\n", inline(c.Years))
		}
		for _, m := range c.Memories {
			fmt.Fprintf(&out, "\n### %s\n", escape(m.Title))
			if when := b.when(m.Period); when != "" {
				fmt.Fprintf(&out, "\n*%s*\n", inline(when))
			}
			for line := range strings.SplitSeq(m.Text, "\n") {
				if line = strings.TrimSpace(line); line != "" {
					fmt.Fprintf(&out, "\n%s\n", escape(line))
				}
			}
			for _, p := range m.Photos {
				fmt.Fprintf(&out, "\n*%s*\n", inline(strings.TrimSuffix(b.say("Foto: ", "Photo: ")+p.Caption, ": ")))
			}
		}
	}
	return out.String()
}

// inline keeps a text's own characters from being taken for markup.
func inline(text string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `_`, `\_`, "`", "\\`", `<`, `\<`, `[`, `\[`, "\n", " ").Replace(text)
}

// escape is inline for a whole line, whose begin may be markup, too.
func escape(line string) string {
	line = inline(line)
	for _, mark := range []string{"#", ">", "-", "+", "=", "|", "~"} {
		if strings.HasPrefix(line, mark) {
			return `\` + line
		}
	}
	digits := len(line) - len(strings.TrimLeft(line, "0123456789"))
	if rest := line[digits:]; digits > 0 && (strings.HasPrefix(rest, ". ") || strings.HasPrefix(rest, ") ")) {
		return line[:digits] + `\` + rest
	}
	return line
}
