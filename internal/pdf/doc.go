// Package pdf lays out pages to print: paragraphs, headings that stay with what
// follows them, pictures that are never cut, tables, and references to pages.
// What the pages say is its callers' part.
package pdf
