package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"

	"github.com/google/uuid"
)

// client is a user of the product over HTTP.
type client struct {
	url   string
	http  *http.Client
	token string
	user  uuid.UUID
}

// register makes an account at a running process.
func register(ctx context.Context, url string) (*client, error) {
	c := newClient(url)
	body, err := json.Marshal(map[string]string{"email": uuid.NewString() + "@example.org", "password": uuid.NewString()})
	if err != nil {
		return nil, err
	}
	return c, c.enter(ctx, "/v1/auth/register", bytes.NewReader(body))
}

func newClient(url string) *client {
	return &client{url: url, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 32}}}
}

// enter opens a session, with an account made or one that exists.
func (c *client) enter(ctx context.Context, path string, body io.Reader) error {
	var login struct {
		AccessToken string `json:"access_token"`
		User        struct {
			ID uuid.UUID `json:"id"`
		} `json:"user"`
	}
	err := c.post(ctx, path, "application/json", body, &login)
	c.token, c.user = login.AccessToken, login.User.ID
	return err
}

// accepted is what an upload is answered with.
type accepted struct {
	Job struct {
		ID uuid.UUID `json:"id"`
	} `json:"job"`
	Document struct {
		ID uuid.UUID `json:"id"`
	} `json:"document"`
}

// upload sends a file while it is read, so that neither side needs to hold it.
func (c *client) upload(ctx context.Context, name string, file io.Reader) (accepted, error) {
	body, form := io.Pipe()
	w := multipart.NewWriter(form)
	go func() {
		part, err := w.CreateFormFile("file", name)
		if err == nil {
			_, err = io.Copy(part, file)
		}
		if err == nil {
			err = w.Close()
		}
		form.CloseWithError(err)
	}()
	var answer accepted
	err := c.post(ctx, "/v1/documents/upload", w.FormDataContentType(), body, &answer)
	return answer, err
}

func (c *client) post(ctx context.Context, path, contentType string, body io.Reader, answer any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", contentType)
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("POST %s: %s: %s", path, resp.Status, said)
	}
	return json.Unmarshal(said, answer)
}
