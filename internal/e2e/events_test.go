package e2e_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// event is one of a stream of server-sent events.
type event struct {
	id   int64 // 0 when it has none
	name string
	data json.RawMessage
}

// follow reads the events of a job from after on, until the stream ends by
// itself or stop says that it has seen enough.
func (u *user) follow(id string, after int64, stop func(event) bool) []event {
	u.t.Helper()
	ctx, hangUp := context.WithTimeout(u.t.Context(), workDeadline)
	defer hangUp()
	req, err := http.NewRequestWithContext(ctx, "GET", u.base+"/v1/jobs/"+id+"/events", nil)
	if err != nil {
		u.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+u.token)
	if after > 0 {
		req.Header.Set("Last-Event-ID", strconv.FormatInt(after, 10))
	}
	stream := http.Client{Transport: u.client.Transport} // without its timeout
	resp, err := stream.Do(req)
	if err != nil {
		u.t.Fatalf("follow job %s: %v", id, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		u.t.Fatalf("follow job %s: status %d", id, resp.StatusCode)
	}
	return read(bufio.NewScanner(resp.Body), stop)
}

func read(lines *bufio.Scanner, stop func(event) bool) []event {
	var events []event
	var e event
	for lines.Scan() {
		field, value, _ := strings.Cut(lines.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "id":
			e.id, _ = strconv.ParseInt(value, 10, 64) // a bad one shows as 0
		case "event":
			e.name = value
		case "data":
			e.data = append(e.data, value...)
		}
		if lines.Text() != "" || e.data == nil {
			continue
		}
		events = append(events, e)
		if stop(e) {
			break
		}
		e = event{}
	}
	return events
}

// never lets a stream run until it ends by itself.
func never(event) bool { return false }
