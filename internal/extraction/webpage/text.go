// Package webpage reads the text of HTML: the whole visible text of a file, or
// the main text of a page from the web.
package webpage

import (
	"bytes"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
	"golang.org/x/net/html/charset"

	"generalbackend/internal/extraction/content"
)

// Read extracts all visible text of an HTML file, at most maxText bytes of it.
// The content type may be empty.
func Read(data []byte, contentType string, maxText int) (content.Document, error) {
	utf8, err := decode(data, contentType)
	if err != nil {
		return content.Document{}, err
	}
	b := content.NewBuilder(maxText)
	root, err := html.Parse(bytes.NewReader(utf8))
	if err != nil { // nested too deep to build a tree
		tokens(b, utf8)
		return content.Document{Pages: b.Pages(), Metadata: map[string]string{}}, b.Err()
	}
	doc := describe(root)
	visible(b, root)
	doc.Pages = b.Pages()
	return doc, b.Err()
}

// decode turns bytes of any encoding into UTF-8: by mark, content type, meta
// element or, failing these, by their look.
func decode(data []byte, contentType string) ([]byte, error) {
	r, err := charset.NewReader(bytes.NewReader(data), contentType)
	if err != nil {
		return nil, content.ErrMalformed
	}
	return io.ReadAll(r)
}

// visible writes the text of a tree as a browser would lay it out in lines.
func visible(b *content.Builder, root *html.Node) {
	for n := root; n != nil && b.Err() == nil; {
		if n.Type == html.TextNode {
			words(b, n.Data, preformatted(n))
		}
		hidden := n.Type == html.ElementNode && invisible(n)
		if n.Type == html.ElementNode && !hidden {
			enter(b, n)
		}
		if n.FirstChild != nil && !hidden {
			n = n.FirstChild
			continue
		}
		for n != nil && n != root && n.NextSibling == nil {
			leave(b, n)
			n = n.Parent
		}
		if n == nil || n == root {
			return
		}
		leave(b, n)
		n = n.NextSibling
	}
}

func enter(b *content.Builder, n *html.Node) {
	switch {
	case n.DataAtom == atom.Br:
		b.Write("\n")
	case n.DataAtom == atom.Input || n.DataAtom == atom.Img:
		for _, a := range n.Attr {
			if a.Key == "alt" || a.Key == "value" && shownValue(n) {
				b.Space()
				b.Write(collapse(a.Val))
				b.Space()
			}
		}
	case isBlock(n.DataAtom):
		b.Line()
	}
}

func leave(b *content.Builder, n *html.Node) {
	if n.Type != html.ElementNode || invisible(n) {
		return
	}
	switch {
	case n.DataAtom == atom.Td || n.DataAtom == atom.Th:
		b.Cell()
	case n.DataAtom == atom.Tr:
		b.Row()
	case isBlock(n.DataAtom):
		b.Line()
	}
}

func invisible(n *html.Node) bool {
	switch n.DataAtom {
	case atom.Script, atom.Style, atom.Template, atom.Noscript, atom.Iframe, atom.Object,
		atom.Svg, atom.Canvas, atom.Head, atom.Datalist, atom.Noframes:
		return true
	}
	for _, a := range n.Attr {
		if a.Key == "hidden" || a.Key == "style" && strings.Contains(strings.ReplaceAll(a.Val, " ", ""), "display:none") {
			return true
		}
	}
	return false
}

// shownValue reports whether an input shows its value.
func shownValue(n *html.Node) bool {
	for _, a := range n.Attr {
		if a.Key == "type" {
			switch strings.ToLower(a.Val) {
			case "text", "search", "email", "url", "tel", "number", "date", "button", "submit":
				return true
			}
			return false
		}
	}
	return true
}

func preformatted(n *html.Node) bool {
	for p := n.Parent; p != nil; p = p.Parent {
		if p.DataAtom == atom.Pre || p.DataAtom == atom.Textarea {
			return true
		}
	}
	return false
}

func isBlock(a atom.Atom) bool {
	switch a {
	case atom.P, atom.Div, atom.Section, atom.Article, atom.Header, atom.Footer, atom.Nav,
		atom.Aside, atom.Main, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Ul,
		atom.Ol, atom.Li, atom.Dl, atom.Dt, atom.Dd, atom.Table, atom.Caption, atom.Thead,
		atom.Tbody, atom.Tfoot, atom.Pre, atom.Blockquote, atom.Figure, atom.Figcaption,
		atom.Address, atom.Form, atom.Fieldset, atom.Legend, atom.Option, atom.Hr, atom.Body,
		atom.Details, atom.Summary, atom.Center, atom.Textarea, atom.Select:
		return true
	}
	return false
}

// words writes text with its white space collapsed, unless it is preformatted.
func words(b *content.Builder, s string, pre bool) {
	if pre {
		b.Write(s)
		return
	}
	text := collapse(s)
	if text == "" {
		if s != "" {
			b.Space()
		}
		return
	}
	if r, _ := utf8.DecodeRuneInString(s); unicode.IsSpace(r) {
		b.Space()
	}
	b.Write(text)
	if r, _ := utf8.DecodeLastRuneInString(s); unicode.IsSpace(r) {
		b.Write(" ")
	}
}

func collapse(s string) string { return strings.Join(strings.Fields(s), " ") }

// tokens writes text without building a tree.
func tokens(b *content.Builder, data []byte) {
	z := html.NewTokenizer(bytes.NewReader(data))
	skip := 0
	for b.Err() == nil {
		switch z.Next() {
		case html.ErrorToken:
			return
		case html.StartTagToken:
			name, _ := z.TagName()
			switch a := atom.Lookup(name); {
			case a == atom.Script || a == atom.Style:
				skip++
			case isBlock(a) || a == atom.Br || a == atom.Tr:
				b.Line()
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			if a := atom.Lookup(name); (a == atom.Script || a == atom.Style) && skip > 0 {
				skip--
			}
		case html.TextToken:
			if skip == 0 {
				words(b, string(z.Text()), false)
			}
		}
	}
}
