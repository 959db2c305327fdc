package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/photo"
)

// Photo is a picture of a memory.
type Photo struct {
	ID            uuid.UUID `json:"id" format:"uuid" example:"0198c5b1-0000-7000-8000-000000000016"`
	MemoryID      uuid.UUID `json:"memory_id" format:"uuid" example:"0198c5b1-0000-7000-8000-000000000011"`
	Caption       string    `json:"caption" example:"In front of the school"`
	Width         int       `json:"width" doc:"Pixels" example:"1600"`
	Height        int       `json:"height" doc:"Pixels" example:"1200"`
	TakenAt       *string   `json:"taken_at" nullable:"true" doc:"What the camera's clock said, of no known zone: a suggestion for when it was" example:"1994-09-01T08:15:00"`
	FilePath      string    `json:"file_path" doc:"The picture, with the same token" example:"/v1/stories/0198c5b1-0000-7000-8000-000000000010/photos/0198c5b1-0000-7000-8000-000000000016/file"`
	ThumbnailPath string    `json:"thumbnail_path" doc:"The same, 400 pixels at most" example:"/v1/stories/0198c5b1-0000-7000-8000-000000000010/photos/0198c5b1-0000-7000-8000-000000000016/file?size=thumbnail"`
	CreatedAt     time.Time `json:"created_at" example:"2026-05-17T09:30:00Z"`
}

// PhotoChange is a new caption.
type PhotoChange struct {
	Caption string `json:"caption" maxLength:"1000" example:"In front of the school"`
}

// PhotoPath names a photo in an address.
type PhotoPath struct {
	StoryPath
	PhotoID uuid.UUID `path:"photo_id" format:"uuid" example:"0198c5b1-0000-7000-8000-000000000016"`
}

// newPhotoInput takes hold of the body without reading it.
type newPhotoInput struct {
	MemoryPath
	contentType string
	length      string
	body        io.Reader
}

// Resolve implements huma.Resolver.
func (in *newPhotoInput) Resolve(ctx huma.Context) []error {
	in.contentType, in.length, in.body = ctx.Header("Content-Type"), ctx.Header("Content-Length"), ctx.BodyReader()
	return nil
}

type photoFileInput struct {
	PhotoPath
	Size        string `query:"size" enum:"full,thumbnail" default:"full" example:"thumbnail"`
	IfNoneMatch string `header:"If-None-Match" doc:"The ETag of before: unchanged pictures are not sent again"`
}

type changePhotoInput struct {
	PhotoPath
	Body PhotoChange
}

type photoOutput struct {
	Body Photo
}

// maxPhotoBytes is the largest photo that is accepted.
const maxPhotoBytes = 20 << 20

func (s *server) photoOperations() {
	const upload, path = "/stories/{story_id}/memories/{memory_id}/photos", "/stories/{story_id}/photos/{photo_id}"
	missing := []domain.Code{domain.CodeNotFound}
	register(s, endpoint{
		id: "add-photo", scope: domain.ScopeStories, method: http.MethodPost, path: upload, tag: storiesTag, summary: "Add a photo to a memory",
		description: "JPEG, PNG, WebP or the first frame of a GIF, up to 20 MiB. It is kept as a JPEG of at most 2,000 pixels without " +
			"anything a camera wrote into it: the date is offered as taken_at, the location is dropped.",
		status: http.StatusCreated, timeout: bodyTotal,
		codes: []domain.Code{domain.CodeNotFound, domain.CodeConflict, domain.CodePhotoMalformed, domain.CodePhotoTooLarge},
	}, s.addPhoto)
	s.describeBody(upload, &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		"multipart/form-data": {Schema: &huma.Schema{
			Type: huma.TypeObject, Required: []string{"file"},
			Properties: map[string]*huma.Schema{
				"file":    {Type: huma.TypeString, Format: "binary"},
				"caption": {Type: huma.TypeString, Examples: []any{"In front of the school"}},
			},
		}},
	}})
	register(s, endpoint{id: "get-photo", scope: domain.ScopeStories, method: http.MethodGet, path: path, tag: storiesTag, summary: "Get what is known of a photo", codes: missing}, s.getPhoto)
	register(s, endpoint{
		id: "get-photo-file", scope: domain.ScopeStories, method: http.MethodGet, path: path + "/file", tag: storiesTag, summary: "Get a photo", codes: missing,
		responses: map[string]*huma.Response{
			"200": {Description: "The picture", Content: map[string]*huma.MediaType{"image/jpeg": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}},
			"304": {Description: "It is the one with the ETag in If-None-Match"},
		},
	}, s.getPhotoFile)
	register(s, endpoint{id: "update-photo", scope: domain.ScopeStories, method: http.MethodPatch, path: path, tag: storiesTag, summary: "Change a photo's caption", codes: missing}, s.updatePhoto)
	register(s, endpoint{
		id: "delete-photo", scope: domain.ScopeStories, method: http.MethodDelete, path: path, tag: storiesTag, summary: "Delete a photo",
		status: http.StatusNoContent, codes: missing,
	}, s.deletePhoto)
}

func toPhoto(storyID uuid.UUID, p domain.Photo) Photo {
	file := "/v1/stories/" + storyID.String() + "/photos/" + p.ID.String() + "/file"
	shown := Photo{
		ID: p.ID, MemoryID: p.MemoryID, Caption: p.Caption, Width: p.Width, Height: p.Height,
		FilePath: file, ThumbnailPath: file + "?size=thumbnail", CreatedAt: p.CreatedAt,
	}
	if p.TakenAt != nil {
		taken := p.TakenAt.Format("2006-01-02T15:04:05")
		shown.TakenAt = &taken
	}
	return shown
}

func (s *server) addPhoto(ctx context.Context, in *newPhotoInput) (*photoOutput, error) {
	if _, err := s.Stories.Memory(ctx, userID(ctx), in.StoryID, in.MemoryID); err != nil {
		return nil, err
	}
	media, params, err := mime.ParseMediaType(in.contentType)
	if err != nil || media != "multipart/form-data" || params["boundary"] == "" {
		return nil, domain.Errorf(domain.CodeUnsupportedType, "Send the photo as multipart/form-data, in the field `file`.")
	}
	if length, err := strconv.ParseInt(in.length, 10, 64); err == nil && length > maxPhotoBytes+jsonLimit {
		return nil, photoTooLong()
	}
	limited := http.MaxBytesReader(nil, io.NopCloser(in.body), maxPhotoBytes+jsonLimit)
	data, caption, err := readPhoto(multipart.NewReader(limited, params["boundary"]))
	if err != nil {
		return nil, photoError(err)
	}
	return s.keepPhoto(ctx, in.MemoryPath, data, caption)
}

func photoTooLong() error {
	return domain.Errorf(domain.CodeTooLarge, "The photo is larger than the %d MiB that are accepted here.", maxPhotoBytes>>20)
}

func photoError(err error) error {
	if err = bodyError(err, maxPhotoBytes); domain.CodeOf(err) == domain.CodeTooLarge {
		return photoTooLong()
	}
	return err
}

// readPhoto takes the fields of the form in whatever order they come.
func readPhoto(form *multipart.Reader) (data []byte, caption string, err error) {
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) && data == nil {
			return nil, "", invalid("body.file", "is missing")
		}
		if errors.Is(err, io.EOF) {
			return data, caption, nil
		}
		if err != nil {
			return nil, "", err
		}
		switch part.FormName() {
		case "file":
			if data != nil {
				return nil, "", invalid("body.file", "must be one file; send one request for each")
			}
			if data, err = io.ReadAll(io.LimitReader(part, maxPhotoBytes+1)); err == nil && len(data) > maxPhotoBytes {
				err = photoTooLong()
			}
			if err == nil && data == nil {
				data = []byte{}
			}
		case "caption":
			const longest = 4000 // bytes
			var text []byte
			text, err = io.ReadAll(io.LimitReader(part, longest))
			caption = captionOf(string(text))
		}
		if err != nil {
			return nil, "", err
		}
	}
}

// keepPhoto decodes and stores a photo. Few are decoded at once, because each
// takes much memory for a moment.
func (s *server) keepPhoto(ctx context.Context, at MemoryPath, data []byte, caption string) (*photoOutput, error) {
	leave, err := s.heavy.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	picture, err := photo.New(data)
	if err != nil {
		return nil, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(picture.Full)
	p := domain.Photo{
		ID: id, UserID: userID(ctx), MemoryID: at.MemoryID, Caption: caption,
		Width: picture.Width, Height: picture.Height, SHA256: sum[:],
	}
	if !picture.TakenAt.IsZero() {
		p.TakenAt = &picture.TakenAt
	}
	added, err := s.Stories.AddPhoto(ctx, at.StoryID, p, map[domain.PhotoSize][]byte{
		domain.PhotoFull: picture.Full, domain.PhotoThumbnail: picture.Thumbnail,
	})
	return &photoOutput{Body: toPhoto(at.StoryID, added)}, err
}

// gate lets few in at a time.
type gate chan struct{}

// atOnce is how many photos or books are worked on together.
const atOnce = 2

func (g gate) enter(ctx context.Context) (leave func(), err error) {
	select {
	case g <- struct{}{}:
		return func() { <-g }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (s *server) getPhoto(ctx context.Context, in *PhotoPath) (*photoOutput, error) {
	p, err := s.Stories.Photo(ctx, userID(ctx), in.StoryID, in.PhotoID)
	return &photoOutput{Body: toPhoto(in.StoryID, p)}, err
}

func (s *server) getPhotoFile(ctx context.Context, in *photoFileInput) (*huma.StreamResponse, error) {
	p, err := s.Stories.Photo(ctx, userID(ctx), in.StoryID, in.PhotoID)
	if err != nil {
		return nil, err
	}
	etag := quoted(hex.EncodeToString(p.SHA256) + "-" + in.Size)
	var data []byte
	if !matchesETag(in.IfNoneMatch, etag) {
		if data, err = s.Stories.PhotoBytes(ctx, userID(ctx), p.ID, domain.PhotoSize(in.Size)); err != nil {
			return nil, err
		}
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		hc.SetHeader("ETag", etag)
		hc.SetHeader("Cache-Control", "private, max-age=31536000, immutable")
		if data == nil {
			hc.SetStatus(http.StatusNotModified)
			return
		}
		hc.SetHeader("Content-Type", "image/jpeg")
		hc.SetHeader("Content-Length", strconv.Itoa(len(data)))
		hc.SetHeader("Content-Disposition", "inline")
		hc.SetHeader("Content-Security-Policy", "default-src 'none'; sandbox")
		hc.SetStatus(http.StatusOK)
		_, _ = hc.BodyWriter().Write(data) // a client that is gone needs no answer
	}}, nil
}

// captionOf is a caption in one line.
func captionOf(text string) string { return plain(text, 1000) }

func (s *server) updatePhoto(ctx context.Context, in *changePhotoInput) (*photoOutput, error) {
	p, err := s.Stories.CaptionPhoto(ctx, userID(ctx), in.StoryID, in.PhotoID, captionOf(in.Body.Caption))
	return &photoOutput{Body: toPhoto(in.StoryID, p)}, err
}

func (s *server) deletePhoto(ctx context.Context, in *PhotoPath) (*struct{}, error) {
	return nil, s.Stories.DeletePhoto(ctx, userID(ctx), in.StoryID, in.PhotoID)
}
