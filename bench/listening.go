package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// listening is one open event stream and what it was told.
type listening struct {
	body   io.ReadCloser
	lines  *bufio.Scanner
	single bool                // of one job, whose every event it must be told
	last   map[uuid.UUID]int64 // newest event of each job
	open   map[uuid.UUID]bool  // jobs that are not known to have succeeded
	told   int
	lost   int
	twice  int
}

// listen opens a stream and reads what there is to tell at first.
func (c *client) listen(ctx context.Context, path string, jobs ...uuid.UUID) (*listening, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url+path, http.NoBody)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		_ = resp.Body.Close()
		return nil, fmt.Errorf("GET %s: %s", path, resp.Status)
	}
	l := &listening{
		body: resp.Body, lines: bufio.NewScanner(resp.Body), single: strings.HasPrefix(path, "/v1/jobs/"),
		last: map[uuid.UUID]int64{}, open: map[uuid.UUID]bool{},
	}
	l.lines.Buffer(nil, 1<<20)
	for _, job := range jobs {
		l.open[job] = true
	}
	if _, err := l.next(); err != nil {
		_ = resp.Body.Close()
		return nil, fmt.Errorf("GET %s: %w", path, err)
	}
	return l, nil
}

// next takes note of one event; more is false at the end of the stream.
func (l *listening) next() (more bool, err error) {
	event := ""
	for l.lines.Scan() {
		name, value, _ := strings.Cut(l.lines.Text(), ": ")
		switch name {
		case "event":
			event = value
		case "data":
			return true, l.note(event, []byte(value))
		}
	}
	return false, l.lines.Err()
}

func (l *listening) note(event string, data []byte) error {
	if event == "snapshot" {
		return nil
	}
	l.told++
	var e struct {
		// of an event of one job
		JobID uuid.UUID `json:"job_id"`
		Seq   int64     `json:"seq"`
		Data  struct {
			State string `json:"state"`
		} `json:"data"`
		// of a job among all
		ID       uuid.UUID `json:"id"`
		EventSeq int64     `json:"event_seq"`
		State    string    `json:"state"`
	}
	if err := json.Unmarshal(data, &e); err != nil {
		return fmt.Errorf("event %s: %w", event, err)
	}
	if !l.single {
		e.JobID, e.Seq, e.Data.State = e.ID, e.EventSeq, e.State
	}
	switch last := l.last[e.JobID]; {
	case e.Seq <= last:
		l.twice++
	case l.single && e.Seq > last+1:
		l.lost += int(e.Seq - last - 1)
	}
	l.last[e.JobID] = max(l.last[e.JobID], e.Seq)
	if e.Data.State == "succeeded" {
		delete(l.open, e.JobID)
	}
	return nil
}

// read reads until every job has succeeded, and the stream of one job to its end.
func (l *listening) read() error {
	for l.single || len(l.open) > 0 {
		more, err := l.next()
		if err != nil {
			return fmt.Errorf("after %d events: %w", l.told, err)
		}
		if !more {
			break
		}
	}
	return nil
}

// tally adds what streams were told and what they were not.
func tally(b *bench, subject string, streams []*listening) {
	var told, lost, twice, unfinished int
	for _, l := range streams {
		told, lost, twice = told+l.told, lost+l.lost, twice+l.twice
		unfinished += len(l.open)
	}
	b.report.add(subject, "events", float64(told))
	b.report.add(subject, "lost", float64(lost))
	b.report.add(subject, "repeated", float64(twice))
	b.report.add(subject, "ends not told", float64(unfinished))
}

// memory is what a process occupies, in bytes.
type memory struct {
	resident   float64
	inUse      float64 // of the Go heap and stacks
	goroutines float64
}

func (p *process) memory(ctx context.Context) (m memory, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+"/metrics", http.NoBody)
	if err != nil {
		return m, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return m, err
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), " ")
		if !slices.Contains([]string{"go_memstats_heap_inuse_bytes", "go_memstats_stack_inuse_bytes", "go_goroutines"}, name) {
			continue
		}
		number, err := strconv.ParseFloat(value, 64)
		switch {
		case err != nil:
			return m, err
		case name == "go_goroutines":
			m.goroutines = number
		default:
			m.inUse += number
		}
	}
	resident, err := p.residentBytes()
	m.resident = float64(resident)
	return m, err
}
