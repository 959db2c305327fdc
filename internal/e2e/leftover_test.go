package e2e_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// inSession lists the processes of a session, each with its state. A process of
// ours leads one of its own, in which its children stay whatever becomes of it.
func inSession(id int) []string {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var found []string
	for _, e := range entries {
		stat, err := os.ReadFile(filepath.Join("/proc", e.Name(), "stat"))
		if err != nil {
			continue // no process, or gone by now
		}
		name, rest, _ := strings.Cut(string(stat), ") ")
		fields := strings.Fields(rest) // state, parent, group, session
		if len(fields) > 3 && fields[3] == strconv.Itoa(id) && fields[0] != "Z" {
			found = append(found, name)
		}
	}
	return found
}
