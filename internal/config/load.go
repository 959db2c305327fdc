package config

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/caarlos0/env/v11"
)

// Load reads the settings of a process from environ, which has the form of
// os.Environ. Empty variables count as not set. Every bad value is reported in
// the one error that it returns, by the name of its variable; secrets are not
// quoted.
func Load(environ []string, process Process) (Config, error) {
	vars := env.ToMap(environ)
	for name, value := range vars {
		if strings.TrimSpace(value) == "" {
			delete(vars, name)
		}
	}
	c, problems := parse(vars)
	c = c.withDefaults(process)
	problems = append(problems, c.check(process)...)
	if len(problems) > 0 {
		return Config{}, &Error{Problems: problems}
	}
	return c, nil
}

// Error lists all that is wrong with the environment.
type Error struct{ Problems []string }

// Error implements error, one problem per line.
func (e *Error) Error() string {
	return "the configuration has errors:\n  " + strings.Join(e.Problems, "\n  ")
}

// parse reads vars. What cannot be read gets its default, so that nothing is said
// of what depends on it.
func parse(vars map[string]string) (c Config, problems []string) {
	problems = parseProblems(env.ParseWithOptions(&c, env.Options{Environment: vars}), vars)
	if len(problems) == 0 {
		return c, nil
	}
	for _, problem := range problems {
		name, _, _ := strings.Cut(problem, ":")
		delete(vars, name)
	}
	c = Config{}
	return c, append(problems, parseProblems(env.ParseWithOptions(&c, env.Options{Environment: vars}), vars)...)
}

// parseProblems names variables where the parser names fields.
func parseProblems(err error, vars map[string]string) []string {
	if err == nil {
		return nil
	}
	var all env.AggregateError
	if !errors.As(err, &all) {
		return []string{err.Error()}
	}
	names := variables(reflect.TypeFor[Config]())
	var problems []string
	for _, err := range all.Errors {
		var parse env.ParseError
		if !errors.As(err, &parse) {
			problems = append(problems, err.Error())
			continue
		}
		problems = append(problems, fmt.Sprintf("%s: %s is expected, not %q", names[parse.Name], kind(parse.Type), vars[names[parse.Name]]))
	}
	return problems
}

func kind(t reflect.Type) string {
	switch t.Name() {
	case "Duration":
		return `a duration such as "30s"`
	case "Level":
		return "debug, info, warn or error"
	case "bool":
		return "true or false"
	case "float64":
		return "a number"
	default:
		return "a whole number"
	}
}

// variables maps the names of fields, unique over all groups, to variables.
func variables(t reflect.Type) map[string]string {
	names := map[string]string{}
	for f := range t.Fields() {
		if name, ok := f.Tag.Lookup("env"); ok {
			names[f.Name] = name
		} else if f.Type.Kind() == reflect.Struct {
			for field, name := range variables(f.Type) {
				names[field] = name
			}
		}
	}
	return names
}
