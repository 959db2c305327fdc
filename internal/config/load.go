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
	var c Config
	err := env.ParseWithOptions(&c, env.Options{Environment: vars})
	problems := parseProblems(err)
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

// parseProblems names variables where the parser names fields.
func parseProblems(err error) []string {
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
		problems = append(problems, fmt.Sprintf("%s: %v is expected: %v", names[parse.Name], kind(parse.Type), parse.Err))
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
