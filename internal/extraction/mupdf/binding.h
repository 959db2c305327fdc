// A small binding to the MuPDF archive that go-fitz links. go-fitz's own API
// leaves out form fields and annotations, runs several calls outside MuPDF's
// try block (where an error ends the process) and guesses the type of bytes in
// memory; this one does none of that.
#ifndef EXTRACTION_MUPDF_BINDING_H
#define EXTRACTION_MUPDF_BINDING_H

#include <stddef.h>

enum { BIND_OK, BIND_FAILED, BIND_ENCRYPTED, BIND_MEMORY, BIND_VERSION };

typedef struct bind_doc bind_doc;

// bind_open keeps data until bind_close; data must stay where it is. On any
// result other than BIND_OK there is nothing to close.
int bind_open(const unsigned char *data, size_t len, const char *magic, size_t store, bind_doc **out);
void bind_close(bind_doc *d);
int bind_count_pages(bind_doc *d, int *n);

// bind_page_text gives one page's text, to be freed with free(), and how many
// errors MuPDF stepped over.
int bind_page_text(bind_doc *d, int number, char **text, size_t *len, int *errors);

// bind_page_marks gives the share of the page's area that images cover, up to
// 1, and whether anything at all is drawn.
int bind_page_marks(bind_doc *d, int number, float *images, int *drawn);

int bind_metadata(bind_doc *d, const char *key, char *buf, int size);

typedef struct { int level; int page; char title[512]; } bind_heading;

// bind_outline fills at most max headings and returns how many.
int bind_outline(bind_doc *d, bind_heading *out, int max);

#endif
