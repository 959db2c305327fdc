package api

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"path"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"generalbackend/internal/domain"
)

//go:embed assets
var assets embed.FS

// documentationPolicy lets the pages of the documentation load what this server
// has and nothing else.
const documentationPolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
	"font-src 'self' data:; connect-src 'self'; worker-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// pages mounts what is no operation.
func (s *server) pages(router *gin.Engine) {
	get := func(path string, handler gin.HandlerFunc) {
		router.GET(path, handler)
		router.HEAD(path, handler)
	}
	get("/", s.index)
	get("/openapi.json", fixed("application/openapi+json", s.description(json.Marshal), ""))
	get("/openapi.yaml", fixed("application/openapi+yaml", s.description(asYAML), ""))
	get("/docs", fixed("text/html; charset=utf-8", assetLater("docs.html"), documentationPolicy))
	get("/redoc", fixed("text/html; charset=utf-8", assetLater("redoc.html"), documentationPolicy))
	get("/docs/assets/:name", s.asset())
	router.GET("/metrics", gin.WrapH(promhttp.HandlerFor(s.Metrics, promhttp.HandlerOpts{})))
	router.HEAD("/health", func(c *gin.Context) { c.Status(http.StatusOK) })
}

func (s *server) index(c *gin.Context) {
	c.JSON(http.StatusOK, gin.H{
		"name": "General Backend", "version": s.Version, "docs": "/docs", "redoc": "/redoc",
		"openapi": "/openapi.json", "health": "/health", "ready": "/ready",
	})
}

func asset(name string) []byte {
	data, err := assets.ReadFile("assets/" + name)
	if err != nil {
		panic(err) // it is embedded
	}
	return data
}

func assetLater(name string) func() []byte { return func() []byte { return asset(name) } }

func (s *server) description(encode func(any) ([]byte, error)) func() []byte {
	return func() []byte {
		data, err := encode(s.api.OpenAPI())
		if err != nil {
			panic(err) // the types of this package cannot be described
		}
		return data
	}
}

func asYAML(description any) ([]byte, error) { return description.(*huma.OpenAPI).YAML() }

// fixed answers with bytes that do not change while the process lives. They are
// made when they are first asked for, since most processes never are.
func fixed(mediaType string, content func() []byte, policy string) gin.HandlerFunc {
	once := sync.OnceValues(func() (data []byte, etag string) {
		data = content()
		sum := sha256.Sum256(data)
		return data, quoted(hex.EncodeToString(sum[:16]))
	})
	return func(c *gin.Context) {
		data, etag := once()
		c.Header("Cache-Control", "public, no-cache")
		c.Header("ETag", etag)
		if policy != "" {
			c.Header("Content-Security-Policy", policy)
		}
		if matchesETag(c.GetHeader("If-None-Match"), etag) {
			c.Status(http.StatusNotModified)
			return
		}
		c.Data(http.StatusOK, mediaType, data)
	}
}

// asset serves the scripts and styles of the documentation.
func (s *server) asset() gin.HandlerFunc {
	handlers := map[string]gin.HandlerFunc{}
	for _, name := range []string{"swagger-ui-bundle.js", "swagger-ui.css", "swagger-init.js", "redoc.standalone.js"} {
		kind := "text/javascript; charset=utf-8"
		if path.Ext(name) == ".css" {
			kind = "text/css; charset=utf-8"
		}
		handlers[name] = fixed(kind, assetLater(name), "")
	}
	return func(c *gin.Context) {
		handler, ok := handlers[strings.TrimSpace(c.Param("name"))]
		if !ok {
			s.abort(c, newProblem(domain.CodeNotFound, "There is nothing at this address."))
			return
		}
		handler(c)
	}
}
