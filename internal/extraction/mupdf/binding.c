#include "binding.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

// What is declared here is what MuPDF's headers of VERSION declare.
// fz_new_context_imp refuses any other version, so a mismatch cannot go
// unnoticed.
#define VERSION "1.24.9"

typedef struct fz_context fz_context;
typedef struct fz_document fz_document;
typedef struct fz_stream fz_stream;
typedef struct fz_page fz_page;
typedef struct fz_device fz_device;
typedef struct fz_buffer fz_buffer;
typedef struct fz_image fz_image;
typedef struct fz_pool fz_pool;
typedef struct fz_outline_iterator fz_outline_iterator;
typedef struct { float a, b, c, d, e, f; } fz_matrix;
typedef struct { float x0, y0, x1, y1; } fz_rect;
typedef struct { int chapter, page; } fz_location;
typedef struct { char *title, *uri; int is_open; } fz_outline_item;
typedef struct { int flags; float scale; } fz_stext_options;
typedef struct { int abort, progress; size_t progress_max; int errors, incomplete; } fz_cookie;
typedef struct fz_stext_block fz_stext_block;
struct fz_stext_block {
	int type;
	fz_rect bbox;
	union {
		struct { void *first_line, *last_line; } t;
		struct { fz_matrix transform; fz_image *image; } i;
	} u;
	fz_stext_block *prev, *next;
};
typedef struct { fz_pool *pool; fz_rect mediabox; fz_stext_block *first_block, *last_block; } fz_stext_page;

enum { STEXT_BLOCK_IMAGE = 1, STEXT_PRESERVE_IMAGES = 4, STEXT_MEDIABOX_CLIP = 64 };
enum { ERROR_SYSTEM = 2 };

fz_context *fz_new_context_imp(const void *alloc, const void *locks, size_t max_store, const char *version);
void fz_drop_context(fz_context *ctx);
void fz_disable_icc(fz_context *ctx);
void fz_set_warning_callback(fz_context *ctx, void (*cb)(void *, const char *), void *user);
void fz_set_error_callback(fz_context *ctx, void (*cb)(void *, const char *), void *user);
sigjmp_buf *fz_push_try(fz_context *ctx);
int fz_do_try(fz_context *ctx);
int fz_do_always(fz_context *ctx);
int fz_do_catch(fz_context *ctx);
void fz_var_imp(void *var);
int fz_caught(fz_context *ctx);
void fz_register_document_handlers(fz_context *ctx);
fz_stream *fz_open_memory(fz_context *ctx, const unsigned char *data, size_t len);
void fz_drop_stream(fz_context *ctx, fz_stream *stm);
fz_document *fz_open_document_with_stream(fz_context *ctx, const char *magic, fz_stream *stream);
void fz_drop_document(fz_context *ctx, fz_document *doc);
int fz_needs_password(fz_context *ctx, fz_document *doc);
int fz_authenticate_password(fz_context *ctx, fz_document *doc, const char *password);
int fz_count_pages(fz_context *ctx, fz_document *doc);
fz_page *fz_load_page(fz_context *ctx, fz_document *doc, int number);
void fz_drop_page(fz_context *ctx, fz_page *page);
fz_rect fz_bound_page(fz_context *ctx, fz_page *page);
void fz_run_page(fz_context *ctx, fz_page *page, fz_device *dev, fz_matrix m, fz_cookie *cookie);
void fz_run_page_contents(fz_context *ctx, fz_page *page, fz_device *dev, fz_matrix m, fz_cookie *cookie);
fz_stext_page *fz_new_stext_page(fz_context *ctx, fz_rect mediabox);
void fz_drop_stext_page(fz_context *ctx, fz_stext_page *page);
fz_device *fz_new_stext_device(fz_context *ctx, fz_stext_page *page, const fz_stext_options *options);
fz_device *fz_new_bbox_device(fz_context *ctx, fz_rect *rect);
void fz_close_device(fz_context *ctx, fz_device *dev);
void fz_drop_device(fz_context *ctx, fz_device *dev);
fz_buffer *fz_new_buffer_from_stext_page(fz_context *ctx, fz_stext_page *text);
size_t fz_buffer_storage(fz_context *ctx, fz_buffer *buf, unsigned char **datap);
void fz_drop_buffer(fz_context *ctx, fz_buffer *buf);
int fz_lookup_metadata(fz_context *ctx, fz_document *doc, const char *key, char *buf, int size);
fz_outline_iterator *fz_new_outline_iterator(fz_context *ctx, fz_document *doc);
void fz_drop_outline_iterator(fz_context *ctx, fz_outline_iterator *iter);
fz_outline_item *fz_outline_iterator_item(fz_context *ctx, fz_outline_iterator *iter);
int fz_outline_iterator_next(fz_context *ctx, fz_outline_iterator *iter);
int fz_outline_iterator_up(fz_context *ctx, fz_outline_iterator *iter);
int fz_outline_iterator_down(fz_context *ctx, fz_outline_iterator *iter);
fz_location fz_resolve_link(fz_context *ctx, fz_document *doc, const char *uri, float *xp, float *yp);
int fz_page_number_from_location(fz_context *ctx, fz_document *doc, fz_location loc);

#define fz_var(var) fz_var_imp((void *)&(var))
#define fz_try(ctx) if (!sigsetjmp(*fz_push_try(ctx), 0)) if (fz_do_try(ctx)) do
#define fz_always(ctx) while (0); if (fz_do_always(ctx)) do
#define fz_catch(ctx) while (0); if (fz_do_catch(ctx))

struct bind_doc {
	fz_context *ctx;
	fz_stream *stream;
	fz_document *doc;
};

static const fz_matrix identity = {1, 0, 0, 1, 0, 0};

// MuPDF's messages quote the document, so they go nowhere.
static void discard(void *user, const char *message) {}

static int failure(fz_context *ctx) {
	return fz_caught(ctx) == ERROR_SYSTEM ? BIND_MEMORY : BIND_FAILED;
}

void bind_close(bind_doc *d) {
	if (d->doc) fz_drop_document(d->ctx, d->doc);
	if (d->stream) fz_drop_stream(d->ctx, d->stream);
	fz_drop_context(d->ctx);
	free(d);
}

static int open_document(bind_doc *d, const unsigned char *data, size_t len, const char *magic) {
	int status = BIND_OK;
	fz_var(status);
	fz_try(d->ctx) {
		fz_register_document_handlers(d->ctx);
		d->stream = fz_open_memory(d->ctx, data, len);
		d->doc = fz_open_document_with_stream(d->ctx, magic, d->stream);
		if (fz_needs_password(d->ctx, d->doc) && !fz_authenticate_password(d->ctx, d->doc, ""))
			status = BIND_ENCRYPTED;
	}
	fz_catch(d->ctx) status = failure(d->ctx);
	return status;
}

int bind_open(const unsigned char *data, size_t len, const char *magic, size_t store, bind_doc **out) {
	bind_doc *d = calloc(1, sizeof *d);
	if (!d) return BIND_MEMORY;
	d->ctx = fz_new_context_imp(NULL, NULL, store, VERSION);
	if (!d->ctx) {
		free(d);
		return BIND_VERSION;
	}
	fz_set_warning_callback(d->ctx, discard, NULL);
	fz_set_error_callback(d->ctx, discard, NULL);
	fz_disable_icc(d->ctx); // the colour of text is nobody's concern, and costs
	int status = open_document(d, data, len, magic);
	if (status == BIND_OK) *out = d;
	else bind_close(d);
	return status;
}

int bind_count_pages(bind_doc *d, int *n) {
	fz_try(d->ctx) *n = fz_count_pages(d->ctx, d->doc);
	fz_catch(d->ctx) return failure(d->ctx);
	return BIND_OK;
}

typedef void (*run_fn)(fz_context *, fz_page *, fz_device *, fz_matrix, fz_cookie *);

// structure runs one page into a new text page; it throws.
static fz_stext_page *structure(fz_context *ctx, fz_page *page, int flags, run_fn run, int *errors) {
	fz_stext_page *text = fz_new_stext_page(ctx, fz_bound_page(ctx, page));
	fz_device *dev = NULL;
	fz_cookie cookie = {0};
	fz_stext_options options = {flags, 1};
	fz_var(dev);
	fz_try(ctx) {
		dev = fz_new_stext_device(ctx, text, &options);
		run(ctx, page, dev, identity, &cookie);
	}
	fz_always(ctx) {
		// Closing sorts out the last line; text seen before an error is kept.
		if (dev) {
			fz_try(ctx) fz_close_device(ctx, dev);
			fz_catch(ctx) cookie.errors++;
			fz_drop_device(ctx, dev);
		}
	}
	fz_catch(ctx) cookie.errors++;
	*errors = cookie.errors;
	return text;
}

static int copy_text(fz_context *ctx, fz_stext_page *page, char **text, size_t *len) {
	unsigned char *data = NULL;
	fz_buffer *buf = fz_new_buffer_from_stext_page(ctx, page);
	*len = fz_buffer_storage(ctx, buf, &data);
	*text = malloc(*len + 1);
	if (*text) memcpy(*text, data, *len);
	fz_drop_buffer(ctx, buf);
	return *text ? BIND_OK : BIND_MEMORY;
}

int bind_page_text(bind_doc *d, int number, char **text, size_t *len, int *errors) {
	fz_context *ctx = d->ctx;
	fz_page *page = NULL;
	fz_stext_page *st = NULL;
	int status = BIND_OK;
	fz_var(page);
	fz_var(st);
	fz_var(status);
	*text = NULL;
	fz_try(ctx) {
		page = fz_load_page(ctx, d->doc, number);
		st = structure(ctx, page, STEXT_MEDIABOX_CLIP, fz_run_page, errors);
		status = copy_text(ctx, st, text, len);
	}
	fz_always(ctx) {
		fz_drop_stext_page(ctx, st);
		fz_drop_page(ctx, page);
	}
	fz_catch(ctx) status = failure(ctx);
	return status;
}

static float clamp(float v, float low, float high) {
	return v < low ? low : v > high ? high : v;
}

static float covered(const fz_stext_page *st, fz_rect page) {
	float area = (page.x1 - page.x0) * (page.y1 - page.y0), sum = 0;
	if (!(area > 0)) return 0;
	for (const fz_stext_block *b = st->first_block; b; b = b->next) {
		if (b->type != STEXT_BLOCK_IMAGE) continue;
		float w = clamp(b->bbox.x1, page.x0, page.x1) - clamp(b->bbox.x0, page.x0, page.x1);
		float h = clamp(b->bbox.y1, page.y0, page.y1) - clamp(b->bbox.y0, page.y0, page.y1);
		sum += w * h;
	}
	return clamp(sum / area, 0, 1);
}

// marked reports whether a page's content draws anything at all; it throws.
static int marked(fz_context *ctx, fz_page *page) {
	fz_rect box = {0};
	fz_cookie cookie = {0};
	fz_device *dev = fz_new_bbox_device(ctx, &box);
	fz_try(ctx) {
		fz_run_page(ctx, page, dev, identity, &cookie);
		fz_close_device(ctx, dev);
	}
	fz_always(ctx) fz_drop_device(ctx, dev);
	fz_catch(ctx) return 1;
	return cookie.errors > 0 || (box.x1 > box.x0 && box.y1 > box.y0);
}

int bind_page_marks(bind_doc *d, int number, float *images, int *drawn) {
	fz_context *ctx = d->ctx;
	fz_page *page = NULL;
	fz_stext_page *st = NULL;
	int status = BIND_OK, errors = 0;
	fz_var(page);
	fz_var(st);
	fz_var(status);
	fz_try(ctx) {
		page = fz_load_page(ctx, d->doc, number);
		st = structure(ctx, page, STEXT_PRESERVE_IMAGES, fz_run_page_contents, &errors);
		*images = covered(st, fz_bound_page(ctx, page));
		*drawn = marked(ctx, page);
	}
	fz_always(ctx) {
		fz_drop_stext_page(ctx, st);
		fz_drop_page(ctx, page);
	}
	fz_catch(ctx) status = failure(ctx);
	return status;
}

int bind_metadata(bind_doc *d, const char *key, char *buf, int size) {
	int n = -1;
	fz_var(n);
	buf[0] = 0;
	fz_try(d->ctx) n = fz_lookup_metadata(d->ctx, d->doc, key, buf, size);
	fz_catch(d->ctx) n = -1;
	return n > 0 ? BIND_OK : BIND_FAILED;
}

static void fill(bind_doc *d, const fz_outline_item *item, int level, bind_heading *h) {
	float x, y;
	h->level = level;
	h->page = 0;
	strncpy(h->title, item->title ? item->title : "", sizeof h->title - 1);
	h->title[sizeof h->title - 1] = 0;
	if (item->uri && item->uri[0] == '#') {
		fz_location loc = fz_resolve_link(d->ctx, d->doc, item->uri, &x, &y);
		h->page = fz_page_number_from_location(d->ctx, d->doc, loc) + 1;
	}
}

// descend moves to the first child of the current heading, if it has one.
static int descend(bind_doc *d, fz_outline_iterator *iter) {
	int moved = fz_outline_iterator_down(d->ctx, iter);
	if (moved == 1) fz_outline_iterator_up(d->ctx, iter); // a place without a heading
	return moved == 0;
}

// advance moves to the next heading on this level or, failing that, above it.
static int advance(bind_doc *d, fz_outline_iterator *iter, int *level) {
	while (fz_outline_iterator_next(d->ctx, iter) != 0) {
		if (*level == 1 || fz_outline_iterator_up(d->ctx, iter) < 0) return 0;
		(*level)--;
	}
	return 1;
}

// walk visits headings in order; an outline that contains itself ends at max
// headings, max_depth deep.
static void walk(bind_doc *d, fz_outline_iterator *iter, bind_heading *out, int max, volatile int *n) {
	const int max_depth = 16;
	int level = 1;
	fz_outline_item *item = fz_outline_iterator_item(d->ctx, iter);
	while (item && *n < max) {
		fill(d, item, level, &out[*n]);
		(*n)++;
		if (level < max_depth && descend(d, iter)) level++;
		else if (!advance(d, iter, &level)) return;
		item = fz_outline_iterator_item(d->ctx, iter);
	}
}

int bind_outline(bind_doc *d, bind_heading *out, int max) {
	fz_outline_iterator *iter = NULL;
	volatile int n = 0;
	fz_var(iter);
	fz_try(d->ctx) {
		iter = fz_new_outline_iterator(d->ctx, d->doc);
		if (iter) walk(d, iter, out, max, &n);
	}
	fz_always(d->ctx) fz_drop_outline_iterator(d->ctx, iter);
	fz_catch(d->ctx) { /* what was found so far is kept */ }
	return n;
}
