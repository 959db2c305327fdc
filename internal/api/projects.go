package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
)

// Project groups documents and matches.
type Project struct {
	ID          uuid.UUID `json:"id" format:"uuid"`
	UserID      uuid.UUID `json:"user_id" format:"uuid"`
	Type        string    `json:"type" enum:"cv_matcher,private_gpt,tell_me_life,other"`
	Name        string    `json:"name" example:"Applications in March"`
	Description string    `json:"description" example:"Everything about one posting"`
	Config      Object    `json:"config" doc:"The client's own settings"`
	LocalOnly   bool      `json:"local_only" doc:"Nothing in it ever reaches a cloud provider"`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`
}

func toProject(p domain.Project) Project {
	return Project{
		ID: p.ID, UserID: p.UserID, Type: string(p.Type), Name: p.Name, Description: p.Description,
		Config: Object{p.Config}, LocalOnly: p.LocalOnly, CreatedAt: p.CreatedAt, UpdatedAt: p.UpdatedAt,
	}
}

// NewProject is what a project is made or replaced with.
type NewProject struct {
	Type        string         `json:"type,omitempty" enum:"cv_matcher,private_gpt,tell_me_life,other" default:"other"`
	Name        string         `json:"name" minLength:"1" maxLength:"255" example:"Applications in March"`
	Description *string        `json:"description,omitempty" maxLength:"10000" nullable:"true" example:"Everything about one posting"`
	Config      map[string]any `json:"config,omitempty" nullable:"true"`
	LocalOnly   *bool          `json:"local_only,omitempty" doc:"Keep everything in it away from cloud providers; left as it is where absent" nullable:"true"`
}

// ProjectChange names the fields to change; others stay.
type ProjectChange struct {
	Type        *string        `json:"type,omitempty" enum:"cv_matcher,private_gpt,tell_me_life,other" nullable:"true"`
	Name        *string        `json:"name,omitempty" minLength:"1" maxLength:"255" nullable:"true" example:"Applications in March"`
	Description *string        `json:"description,omitempty" maxLength:"10000" nullable:"true" example:"Everything about one posting"`
	Config      map[string]any `json:"config,omitempty" nullable:"true"`
	LocalOnly   *bool          `json:"local_only,omitempty" doc:"Keep everything in it away from cloud providers; left as it is where absent" nullable:"true"`
}

// ProjectPath names a project in an address.
type ProjectPath struct {
	ID uuid.UUID `path:"project_id" format:"uuid"`
}

type createProjectInput struct {
	Body NewProject
}

type replaceProjectInput struct {
	ProjectPath
	Body NewProject
}

type changeProjectInput struct {
	ProjectPath
	Body ProjectChange
}

type projectOutput struct {
	Body Project
}

func (s *server) projectOperations() {
	const tag, path = "projects", "/projects/{project_id}"
	missing := []domain.Code{domain.CodeNotFound}
	registerList(s, endpoint{
		id: "list-projects", scope: domain.ScopeProjects, method: http.MethodGet, path: "/projects", tag: tag, summary: "List my projects",
		codes: []domain.Code{domain.CodeInvalidCursor},
	}, s.listProjects)
	register(s, endpoint{
		id: "create-project", scope: domain.ScopeProjects, method: http.MethodPost, path: "/projects", tag: tag, summary: "Make a project",
		status: http.StatusCreated,
	}, s.createProject)
	register(s, endpoint{id: "get-project", scope: domain.ScopeProjects, method: http.MethodGet, path: path, tag: tag, summary: "Get a project", codes: missing}, s.getProject)
	register(s, endpoint{id: "replace-project", scope: domain.ScopeProjects, method: http.MethodPut, path: path, tag: tag, summary: "Replace a project", codes: missing}, s.replaceProject)
	register(s, endpoint{id: "update-project", scope: domain.ScopeProjects, method: http.MethodPatch, path: path, tag: tag, summary: "Change a project", codes: missing}, s.updateProject)
	register(s, endpoint{
		id: "delete-project", scope: domain.ScopeProjects, method: http.MethodDelete, path: path, tag: tag, summary: "Delete a project",
		description: "Deletes everything in it, and stops its jobs.", status: http.StatusNoContent, codes: missing,
	}, s.deleteProject)
}

func (s *server) listProjects(ctx context.Context, in *Paging) (Page[Project], error) {
	const list = "projects"
	before, err := s.cursors.decode(list, userID(ctx), in.Cursor)
	if err != nil {
		return Page[Project]{}, err
	}
	size := in.size(atRoot(ctx))
	rows, err := s.Store.Projects(ctx, userID(ctx), before, size)
	return cut(s.cursors, list, userID(ctx), rows, size, func(p domain.Project) uuid.UUID { return p.ID }, toProject), err
}

func (s *server) createProject(ctx context.Context, in *createProjectInput) (*projectOutput, error) {
	change, err := in.Body.change()
	if err != nil {
		return nil, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	project, err := s.Store.CreateProject(ctx, domain.Project{
		ID: id, UserID: userID(ctx), Type: *change.Type, Name: *change.Name,
		Description: *change.Description, Config: change.Config, LocalOnly: change.LocalOnly != nil && *change.LocalOnly,
	})
	return &projectOutput{Body: toProject(project)}, err
}

func (s *server) getProject(ctx context.Context, in *ProjectPath) (*projectOutput, error) {
	project, err := s.Store.Project(ctx, userID(ctx), in.ID)
	return &projectOutput{Body: toProject(project)}, err
}

func (s *server) replaceProject(ctx context.Context, in *replaceProjectInput) (*projectOutput, error) {
	change, err := in.Body.change()
	if err != nil {
		return nil, err
	}
	project, err := s.Store.UpdateProject(ctx, userID(ctx), in.ID, change)
	return &projectOutput{Body: toProject(project)}, err
}

func (s *server) updateProject(ctx context.Context, in *changeProjectInput) (*projectOutput, error) {
	change, err := in.Body.change()
	if err != nil {
		return nil, err
	}
	project, err := s.Store.UpdateProject(ctx, userID(ctx), in.ID, change)
	return &projectOutput{Body: toProject(project)}, err
}

func (s *server) deleteProject(ctx context.Context, in *ProjectPath) (*struct{}, error) {
	stopped, err := s.Store.DeleteProject(ctx, userID(ctx), in.ID)
	s.stopped(ctx, stopped, err)
	return nil, err
}

// change names every field: what is absent is reset, but for local_only, which
// a client that does not know it must not switch off.
func (p NewProject) change() (domain.ProjectChange, error) {
	if p.Config == nil {
		p.Config = map[string]any{}
	}
	if p.Description == nil {
		p.Description = new("")
	}
	return ProjectChange{Type: &p.Type, Name: &p.Name, Description: p.Description, Config: p.Config, LocalOnly: p.LocalOnly}.change()
}

// maxConfig bounds what a client may keep in a project.
const maxConfig = 64 << 10

func (p ProjectChange) change() (domain.ProjectChange, error) {
	change := domain.ProjectChange{Type: (*domain.ProjectType)(p.Type), Description: p.Description, LocalOnly: p.LocalOnly}
	if p.Name != nil {
		name := plain(*p.Name, 255)
		if name == "" {
			return change, invalid("body.name", "must not be empty")
		}
		change.Name = &name
	}
	if p.Config == nil {
		return change, nil
	}
	config, err := json.Marshal(p.Config)
	if len(config) > maxConfig {
		return change, invalid("body.config", "must not have more than 64 KiB")
	}
	change.Config = config
	return change, err
}
