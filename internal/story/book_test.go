package story_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/extraction/mupdf"
	"generalbackend/internal/story"
)

// landscape is a photo of hills at dusk.
func landscape(t *testing.T, width, height int) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			light := uint8(240 - 120*y/height)
			c := color.RGBA{R: light, G: uint8(int(light) * 3 / 4), B: 150, A: 255}
			if hill := height*2/3 + (x*(width-x))/(8*width) - width/32; y > hill {
				c = color.RGBA{R: 40, G: uint8(60 + 40*x/width), B: 50, A: 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const longText = "Wir wohnten in einem kleinen Häuschen am Fluß, gleich hinter der Mühle. Im Winter fror das Wasser zu, und wir liefen auf Holzkufen bis nach Wörgl hinüber. Meine Großmutter Łucja sagte immer: „Wer fällt, der steht auch wieder auf.“ Daran habe ich mein Leben lang gedacht.\nEines Abends kam mein Vater später als sonst nach Hause. Er hatte Юрий mitgebracht, einen jungen Mann aus Kiew, der kein Wort Deutsch sprach und trotzdem die ganze Küche zum Lachen brachte."

// life is a story with short and long texts, photos of both shapes and a title
// too long for a line.
func life(t *testing.T) (domain.Story, []domain.Memory) {
	t.Helper()
	born := time.Date(1938, 5, 17, 0, 0, 0, 0, time.UTC)
	s := domain.Story{Title: "Über den Fluß und durch die Zeit", Subject: "Johanna Möller", BornOn: &born, Language: "de"}
	wide := domain.Photo{ID: uuid.New(), Width: 1600, Height: 1000, Caption: "Das Häuschen am Fluß, davor Großmutter Łucja"}
	high := domain.Photo{ID: uuid.New(), Width: 900, Height: 1500, Caption: "Mein erstes Rad"}
	var memories []domain.Memory
	add := func(title, text string, p domain.Period, photos ...domain.Photo) {
		m := memory(title, p)
		m.Text, m.Photos = text, photos
		memories = append(memories, m)
	}
	add("Das Häuschen am Fluß", longText, period(t, "1941", "1943"), wide)
	add("Einschulung", strings.Repeat(longText+"\n", 4), period(t, "1944-09-01", ""))
	add("Das Rad", longText, period(t, "1950-07", ""), high, wide)
	for i := range 6 {
		add("Aus der Lehrzeit, wie ich lernte, dass auch ein sehr langer Titel noch auf die Seite passen muss", longText, period(t, time.Date(1953+i, 1, 1, 0, 0, 0, 0, time.UTC).Format("2006"), ""))
	}
	add("Hochzeit", longText, period(t, "1961-08-12", ""), high)
	add("Irgendwann im Sommer", "Ein kurzer Satz.", domain.Period{Precision: domain.PrecisionUnknown, Label: "als die Kirschen reif waren"})
	add("山田さん", "Ein Brief aus 東京.", domain.Period{Precision: domain.PrecisionUnknown})
	return s, memories
}

func printed(t *testing.T, b story.Book) (pages []string) {
	t.Helper()
	data, err := b.PDF(t.Context(), func(id uuid.UUID) ([]byte, error) {
		for _, c := range b.Chapters {
			for _, m := range c.Memories {
				for _, p := range m.Photos {
					if p.ID == id {
						return landscape(t, p.Width/2, p.Height/2), nil
					}
				}
			}
		}
		return nil, domain.Errorf(domain.CodeNotFound, "No such photo.")
	})
	if err != nil {
		t.Fatal(err)
	}
	if dir := os.Getenv("KEEP_PDF"); dir != "" {
		if err := os.WriteFile(dir+"/"+t.Name()+".pdf", data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	doc, err := mupdf.Open(data, ".pdf")
	if err != nil {
		t.Fatal(err)
	}
	defer doc.Close()
	count, err := doc.Pages()
	if err != nil {
		t.Fatal(err)
	}
	for n := range count {
		text, _, err := doc.Text(n)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, strings.Join(strings.Fields(text), " "))
	}
	return pages
}

// TestBookHoldsEverything: every text is printed, whole and in order, and the
// contents name the pages where chapters and memories begin.
func TestBookHoldsEverything(t *testing.T) {
	t.Parallel()
	s, memories := life(t)
	b := story.NewBook(s, memories, now)
	pages := printed(t, b)
	all := strings.Join(pages, " ")
	for _, want := range []string{s.Title, s.Subject, "geboren am 17. Mai 1938", "Inhalt", "Kindheit", "1938–1950", "Jugend", "Ohne Jahreszahl", "als die Kirschen reif waren", "1. September 1944", "U+5C71"} {
		if !strings.Contains(all, want) {
			t.Errorf("the book lacks %q", want)
		}
	}
	// Page ends put the furniture between words: look at sentences' words in order.
	for _, c := range b.Chapters {
		for _, m := range c.Memories {
			for _, p := range m.Photos {
				if !strings.Contains(all, p.Caption) {
					t.Errorf("no caption %q", p.Caption)
				}
			}
		}
	}
	if n, want := strings.Count(all, "Daran habe ich mein Leben lang"), 4+9; n < want-3 {
		t.Errorf("%d of %d paragraphs", n, want)
	}
	contents := ""
	for _, page := range pages[2:4] {
		contents += page + " "
	}
	for i, page := range pages[4:] {
		if strings.Contains(page, "Einschulung 1. September 1944") && !strings.Contains(strings.ReplaceAll(contents, ".", ""), "Einschulung") {
			t.Errorf("page %d is not in the contents", i+5)
		}
	}
}

// TestBookOfNothing is a cover and a table without entries.
func TestBookOfNothing(t *testing.T) {
	t.Parallel()
	pages := printed(t, story.NewBook(domain.Story{Title: "Leer", Language: "en"}, nil, now))
	if all := strings.Join(pages, " "); len(pages) != 3 || !strings.Contains(all, "Nothing has been told yet.") {
		t.Errorf("%d pages: %s", len(pages), all)
	}
}

// TestBooksAreBounded: one that is too long is refused before it takes the memory,
// and one that nobody waits for is not finished.
func TestBooksAreBounded(t *testing.T) {
	t.Parallel()
	long := domain.Memory{Title: "Lang", Text: strings.Repeat("ä", story.MostPrinted/2)}
	if _, err := story.NewBook(domain.Story{Title: "x"}, []domain.Memory{long, long, {Text: "."}}, now).PDF(t.Context(), nil); domain.CodeOf(err) != domain.CodeTooLarge {
		t.Errorf("too long: %v", err)
	}
	gone, leave := context.WithCancel(t.Context())
	leave()
	if _, err := story.NewBook(domain.Story{Title: "x"}, []domain.Memory{{Text: "."}}, now).PDF(gone, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("nobody waits: %v", err)
	}
}

func TestBookAsText(t *testing.T) {
	t.Parallel()
	s, memories := life(t)
	memories[0].Text = "# kein Titel\n1. keine Liste\n*kein* _Kursiv_ <b>"
	text := story.NewBook(s, memories, now).Markdown()
	for _, want := range []string{"# Über den Fluß und durch die Zeit\n", "## Kindheit\n", "### Einschulung\n", "*1. September 1944*", `\# kein Titel`, `1\. keine Liste`, `\*kein\* \_Kursiv\_ \<b>`, "Юрий", "東京", "*Foto: Mein erstes Rad*"} {
		if !strings.Contains(text, want) {
			t.Errorf("the text lacks %q:\n%s", want, text[:800])
		}
	}
	if strings.Index(text, "Einschulung") > strings.Index(text, "Hochzeit") {
		t.Error("out of order")
	}
}
