package logo

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"strings"
)

const (
	// maxFile bounds a logo as it is found, in bytes, and maxSide its width and height,
	// in pixels, which are looked at before anything is decoded.
	maxFile = 256 << 10
	maxSide = 2048
	// side bounds width and height of what is served.
	side = 128
	// maxScans bounds how often a JPEG of a few bytes has all its pixels gone through; a
	// progressive one that means well has some ten.
	maxScans = 32
)

var (
	errFile   = errors.New("the file is too large")
	errFormat = errors.New("neither PNG nor JPEG nor GIF")
	errSide   = errors.New("too wide, too high or empty")
	errScans  = errors.New("too many scans")
)

// format is one that logos may have.
type format struct {
	magic  string
	config func(io.Reader) (image.Config, error)
	// decode reads the first frame where there are several.
	decode func(io.Reader) (image.Image, error)
}

// formats are all there are: decoders that some other package registers with
// [image.Decode] are none of them.
func formats() []format {
	return []format{
		{"\x89PNG\r\n\x1a\n", png.DecodeConfig, png.Decode},
		{"\xff\xd8\xff", jpeg.DecodeConfig, jpeg.Decode},
		{"GIF87a", gif.DecodeConfig, gif.Decode},
		{"GIF89a", gif.DecodeConfig, gif.Decode},
	}
}

// thumbnail returns the picture in a file as a PNG of at most side by side pixels.
// What the file is follows from its bytes alone, not from what its server calls it.
func thumbnail(file []byte) ([]byte, error) {
	picture, err := decode(file)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := encoder.Encode(&out, shrink(picture)); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func decode(file []byte) (image.Image, error) {
	if len(file) > maxFile {
		return nil, errFile
	}
	for _, f := range formats() {
		if !bytes.HasPrefix(file, []byte(f.magic)) {
			continue
		}
		config, err := f.config(bytes.NewReader(file))
		if err != nil {
			return nil, err
		}
		if config.Width > maxSide || config.Height > maxSide {
			return nil, fmt.Errorf("%w: %d by %d", errSide, config.Width, config.Height)
		}
		// Within the data of a scan the marker cannot occur (ITU-T T.81 §B.1.1.5).
		if strings.HasPrefix(f.magic, "\xff") && bytes.Count(file, []byte{0xff, 0xda}) > maxScans {
			return nil, errScans
		}
		picture, err := f.decode(bytes.NewReader(file))
		if err != nil {
			return nil, err
		}
		if picture.Bounds().Empty() {
			return nil, errSide // a frame of a GIF may be smaller than its screen
		}
		return picture, nil
	}
	return nil, errFormat
}

// shrink scales a picture down until it is at most side by side pixels, each the mean
// of those it stands for. A small one keeps its size.
func shrink(picture image.Image) *image.RGBA {
	from := picture.Bounds()
	w, h := scaled(from.Dx(), from.Dy())
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	at := pixels(picture)
	for y := range h {
		top, bottom := span(y, h, from.Dy())
		for x := range w {
			left, right := span(x, w, from.Dx())
			box := image.Rect(left, top, right, bottom).Add(from.Min)
			out.SetRGBA(x, y, mean(at, box))
		}
	}
	return out
}

// scaled are the sides of the picture that is served.
func scaled(w, h int) (int, int) {
	longest := max(w, h)
	if longest <= side {
		return w, h
	}
	return max(1, w*side/longest), max(1, h*side/longest)
}

// span is which of n pixels stand for the i-th of m, which are no more than n.
func span(i, m, n int) (from, to int) { return i * n / m, (i + 1) * n / m }

// pixels reads a picture without an allocation for each of millions of pixels.
func pixels(picture image.Image) func(x, y int) color.RGBA64 {
	if fast, ok := picture.(image.RGBA64Image); ok {
		return fast.RGBA64At
	}
	return func(x, y int) color.RGBA64 {
		r, g, b, a := picture.At(x, y).RGBA()
		return color.RGBA64{R: uint16(r), G: uint16(g), B: uint16(b), A: uint16(a)}
	}
}

// mean is taken of colours multiplied by their alpha: what is transparent has no say.
func mean(at func(x, y int) color.RGBA64, box image.Rectangle) color.RGBA {
	var r, g, b, a uint64
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			c := at(x, y)
			r, g, b, a = r+uint64(c.R), g+uint64(c.G), b+uint64(c.B), a+uint64(c.A)
		}
	}
	n := uint64(box.Dx() * box.Dy())
	return color.RGBA{R: uint8(r / n >> 8), G: uint8(g / n >> 8), B: uint8(b / n >> 8), A: uint8(a / n >> 8)}
}
