package postgres

import (
	"context"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres/internal/dbsqlc"
)

// MaxPhotos is how many photos one memory may have.
const MaxPhotos = 50

// AddPhoto stores a photo of a memory in both its sizes.
func (s *Store) AddPhoto(ctx context.Context, storyID uuid.UUID, p domain.Photo, bytes map[domain.PhotoSize][]byte) (domain.Photo, error) {
	var added domain.Photo
	err := s.tx(ctx, func(q *dbsqlc.Queries) error {
		if _, err := q.LockMemory(ctx, dbsqlc.LockMemoryParams{ID: p.MemoryID, StoryID: storyID, UserID: p.UserID}); err != nil {
			return err
		}
		n, err := q.CountPhotos(ctx, dbsqlc.CountPhotosParams{MemoryID: p.MemoryID, UserID: p.UserID})
		if err != nil {
			return err
		}
		if n >= MaxPhotos {
			return domain.Errorf(domain.CodeConflict, "A memory can have %d photos at most.", MaxPhotos)
		}
		row, err := q.InsertPhoto(ctx, dbsqlc.InsertPhotoParams{
			ID: p.ID, UserID: p.UserID, MemoryID: p.MemoryID, Caption: p.Caption,
			Width: int32(p.Width), Height: int32(p.Height), Sha256: p.SHA256, TakenAt: p.TakenAt,
		})
		if err != nil {
			return err
		}
		added = toPhoto(row)
		for size, data := range bytes {
			if err := q.InsertPhotoBytes(ctx, dbsqlc.InsertPhotoBytesParams{PhotoID: p.ID, Size: string(size), UserID: p.UserID, Bytes: data}); err != nil {
				return err
			}
		}
		return nil
	})
	return added, err
}

// Photo returns a photo of a user's story.
func (s *Store) Photo(ctx context.Context, userID, storyID, id uuid.UUID) (domain.Photo, error) {
	row, err := s.queries.Photo(ctx, dbsqlc.PhotoParams{ID: id, StoryID: storyID, UserID: userID})
	return toPhoto(row), translate(err)
}

// PhotoBytes returns a photo as JPEG.
func (s *Store) PhotoBytes(ctx context.Context, userID, id uuid.UUID, size domain.PhotoSize) ([]byte, error) {
	data, err := s.queries.PhotoBytes(ctx, dbsqlc.PhotoBytesParams{PhotoID: id, Size: string(size), UserID: userID})
	return data, translate(err)
}

// CaptionPhoto changes a photo's caption.
func (s *Store) CaptionPhoto(ctx context.Context, userID, storyID, id uuid.UUID, caption string) (domain.Photo, error) {
	if err := one(s.queries.UpdatePhoto(ctx, dbsqlc.UpdatePhotoParams{ID: id, StoryID: storyID, UserID: userID, Caption: caption})); err != nil {
		return domain.Photo{}, translate(err)
	}
	return s.Photo(ctx, userID, storyID, id)
}

// DeletePhoto deletes a photo.
func (s *Store) DeletePhoto(ctx context.Context, userID, storyID, id uuid.UUID) error {
	return translate(one(s.queries.DeletePhoto(ctx, dbsqlc.DeletePhotoParams{ID: id, StoryID: storyID, UserID: userID})))
}

func toPhoto(r dbsqlc.Photo) domain.Photo {
	return domain.Photo{
		ID: r.ID, UserID: r.UserID, MemoryID: r.MemoryID, Caption: r.Caption, Width: int(r.Width), Height: int(r.Height),
		SHA256: r.Sha256, TakenAt: r.TakenAt, CreatedAt: r.CreatedAt,
	}
}
