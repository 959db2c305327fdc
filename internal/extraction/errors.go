package extraction

import (
	"slices"

	"generalbackend/internal/domain"
)

// errorFor returns the error of a code as a user sees it.
func errorFor(code domain.Code) *domain.Error {
	switch code {
	case domain.CodeDocumentEncrypted:
		return domain.Errorf(code, "The document is protected by a password.").
			WithHint("Remove the password and upload the document again.")
	case domain.CodeDocumentMalformed:
		return domain.Errorf(code, "The document is damaged and cannot be read.").
			WithHint("Open it in the program that made it, save it again and upload the new file.")
	case domain.CodeDocumentTooComplex:
		return domain.Errorf(code, "The document takes more pages, memory or computing time than allowed.").
			WithHint("Split it into smaller documents.")
	case domain.CodeTimedOut:
		return domain.Errorf(code, "Reading the document took too long.").
			WithHint("Split it into smaller documents.")
	case domain.CodeTooLarge:
		return domain.Errorf(code, "The document is larger than allowed.").
			WithHint("Split it into smaller documents.")
	default:
		return domain.Errorf(domain.CodeInternal, "The document could not be read because of a fault on our side. Try again.")
	}
}

// noText is the error of a document without a single readable page. Only a PDF
// or its like has fonts to blame.
func noText(t domain.DocumentType, pages []domain.Page) *domain.Error {
	has := func(reason string) bool {
		return slices.ContainsFunc(pages, func(p domain.Page) bool { return p.Quality.Reason == reason })
	}
	err := domain.Errorf(domain.CodeNoTextFound, "No text was found in the document.")
	switch {
	case has(reasonGarbled) && !hasFonts(t):
		return err.WithHint("It holds hardly anything but control characters or bytes in an unknown encoding. Save it as text in UTF-8.")
	case has(reasonGarbled):
		return err.WithHint("Its fonts do not say which characters they show. Print it to a new PDF from the original program, or run text recognition (OCR).")
	case has(reasonNoText):
		return err.WithHint("It seems to be a scan. Run text recognition (OCR) and upload the result.")
	case has(reasonFailed):
		return err.WithHint("None of its pages could be read; the file may be damaged.")
	default:
		return err.WithHint("All of its pages are blank.")
	}
}

func hasFonts(t domain.DocumentType) bool {
	return t == domain.TypePDF || t == domain.TypeXPS
}
