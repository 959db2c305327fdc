package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"generalbackend/internal/domain"
	"generalbackend/internal/extraction"
)

// reader takes the text out of PDF files. open returns what reads one file and
// what ends everything that reading has started.
type reader struct {
	name string
	open func() (read readFunc, stop func())
}

type readFunc func(ctx context.Context, path string) (pages int, err error)

type extractionOptions struct {
	cvs       int
	longPages int
	corpus    string
}

func extractionScenario(flags *flag.FlagSet) scenario {
	var o extractionOptions
	flags.IntVar(&o.cvs, "extraction-cvs", 100, "generated documents of two pages")
	flags.IntVar(&o.longPages, "extraction-long-pages", 300, "pages of the generated long document")
	flags.StringVar(&o.corpus, "extraction-corpus", "../../shared/data", "folder with pdf/ and cv-match/cvs/; left out where it does not exist")
	return scenario{"extraction", func(ctx context.Context, b *bench) error { return runExtraction(ctx, b, o) }}
}

func runExtraction(ctx context.Context, b *bench, o extractionOptions) error {
	readers := []reader{
		{ours, sandboxed("one")},
		{"ours, owners differ", sandboxed("")},
		{"pdftotext", program("pdftotext", "-q", "{}", "-")},
		{"mutool draw", program("mutool", "draw", "-q", "-F", "text", "{}")},
	}
	sets, err := extractionSets(b, o)
	if err != nil {
		return err
	}
	b.report.set("%d documents at once, only those that all readers can read; the peers take a process for each document, ours for some of one owner or, where owners differ, for each", runtime.NumCPU())
	for _, set := range sets {
		if set.files, set.pages, err = readable(ctx, b, readers, set.files); err != nil {
			return err
		}
		b.report.set("%s: %d documents, %d pages", set.name, len(set.files), set.pages)
		for range b.rounds {
			for _, r := range readers {
				if err := measureReader(ctx, b, r, set); err != nil {
					return err
				}
			}
		}
		for _, peer := range readers[2:] {
			b.report.compare(set.name+", "+ours, "pages/s", set.name+", "+peer.name)
			b.report.compare(set.name+", "+ours, "CPU ms/document", set.name+", "+peer.name)
		}
	}
	return nil
}

// measureReader reads a set once. Processor time is that of this process and of
// those it started; it depends less than the clock on what else runs.
func measureReader(ctx context.Context, b *bench, r reader, set fileSet) error {
	used, started := processorTime(), time.Now()
	read, stop := r.open()
	err := readAll(ctx, r.name, read, set.files, nil)
	took := time.Since(started)
	stop() // children that end count what they used
	if err != nil {
		return err
	}
	subject := set.name + ", " + r.name
	b.report.add(subject, "pages/s", float64(set.pages)/took.Seconds())
	b.report.add(subject, "CPU ms/document", float64((processorTime()-used).Microseconds())/1000/float64(len(set.files)))
	return nil
}

// fileSet is a set of documents that is measured together.
type fileSet struct {
	name  string
	files []string
	pages int
}

func extractionSets(b *bench, o extractionOptions) ([]fileSet, error) {
	cvs, err := makeCVs(o.cvs, 1)
	if err != nil {
		return nil, err
	}
	long, err := makePDF(1, o.longPages)
	if err != nil {
		return nil, err
	}
	sets := []fileSet{{name: "made CVs"}, {name: "made long"}}
	for i, files := range [][][]byte{cvs, {long, long}} {
		if sets[i].files, err = writeFiles(filepath.Join(b.dir, sets[i].name), files); err != nil {
			return nil, err
		}
	}
	for _, set := range [][2]string{{"real CVs", "cv-match/cvs"}, {"real PDFs", "pdf"}} {
		name, folder := set[0], set[1]
		files, err := filepath.Glob(filepath.Join(o.corpus, folder, "*.pdf"))
		if err != nil {
			return nil, err
		}
		if len(files) == 0 {
			b.say("extraction: no documents in %s, %q is left out", filepath.Join(o.corpus, folder), name)
			continue
		}
		sets = append(sets, fileSet{name: name, files: files})
	}
	return sets, nil
}

func writeFiles(dir string, files [][]byte) ([]string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	paths := make([]string, len(files))
	for i, data := range files {
		paths[i] = filepath.Join(dir, fmt.Sprintf("%d.pdf", i))
		if err := os.WriteFile(paths[i], data, 0o644); err != nil {
			return nil, err
		}
	}
	return paths, nil
}

// sandboxed reads as the extract stage does, for one owner or, with "", for
// another with each document.
func sandboxed(owner string) func() (readFunc, func()) {
	return func() (readFunc, func()) {
		sandbox := extraction.NewSandbox(extraction.DefaultLimits(), runtime.NumCPU(), quiet())
		return func(ctx context.Context, path string) (int, error) {
			open := func(context.Context) (io.ReadCloser, error) { return os.Open(path) }
			x, err := sandbox.Extract(ctx, extraction.Source{Owner: owner, Type: domain.TypePDF, Open: open}, nil)
			return x.PageCount, err
		}, sandbox.Close
	}
}

// program reads with another program, whose output is read and dropped. {} in
// an argument stands for the file.
func program(name string, args ...string) func() (readFunc, func()) {
	read := func(ctx context.Context, path string) (int, error) {
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		filled := make([]string, len(args))
		for i, a := range args {
			if filled[i] = a; a == "{}" {
				filled[i] = path
			}
		}
		_, err := exec.CommandContext(ctx, name, filled...).Output()
		return 0, err
	}
	return func() (readFunc, func()) { return read, func() {} }
}

// readable finds the documents that all readers can read, which also brings
// them into memory, and counts their pages.
func readable(ctx context.Context, b *bench, readers []reader, files []string) (kept []string, pages int, err error) {
	failed := make([]bool, len(files))
	counts := make([]int, len(files))
	for n, r := range readers {
		read, stop := r.open()
		err := readAll(ctx, r.name, read, files, func(i, count int, err error) error {
			failed[i] = failed[i] || err != nil
			if n == 0 {
				counts[i] = count
			}
			return nil
		})
		stop()
		if err != nil {
			return nil, 0, err
		}
	}
	for i, file := range files {
		if !failed[i] {
			kept = append(kept, file)
			pages += counts[i]
		}
	}
	if len(kept) == 0 {
		return nil, 0, fmt.Errorf("no document that all of %d readers can read; are pdftotext and mutool installed", len(readers))
	}
	return kept, pages, nil
}

// readAll reads documents, as many at once as there are cores. With note, what
// a document ends with is the caller's to judge; otherwise an error ends it all.
func readAll(ctx context.Context, name string, read readFunc, files []string, note func(i, pages int, err error) error) error {
	if note == nil {
		note = func(_, _ int, err error) error { return err }
	}
	return parallel(ctx, len(files), runtime.NumCPU(), func(ctx context.Context, i int) error {
		pages, err := read(ctx, files[i])
		if err := note(i, pages, err); err != nil {
			return fmt.Errorf("%s: %s: %w", name, files[i], err)
		}
		return nil
	})
}
