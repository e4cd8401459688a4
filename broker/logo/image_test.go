package logo

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"testing"
)

// filled is a picture of one colour.
func filled(w, h int, c color.Color) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	draw.Draw(m, m.Bounds(), image.NewUniform(c), image.Point{}, draw.Src)
	return m
}

func pngOf(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func jpegOf(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// gifOf is an animation with a frame of each colour.
func gifOf(t testing.TB, w, h int, colours ...color.Color) []byte {
	t.Helper()
	animation := &gif.GIF{}
	for _, c := range colours {
		animation.Image = append(animation.Image, image.NewPaletted(image.Rect(0, 0, w, h), color.Palette{c}))
		animation.Delay = append(animation.Delay, 10)
	}
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, animation); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// claiming is a PNG of one pixel whose header claims another size.
func claiming(t testing.TB, w, h uint32) []byte {
	t.Helper()
	b := pngOf(t, filled(1, 1, color.Black))
	binary.BigEndian.PutUint32(b[16:], w)
	binary.BigEndian.PutUint32(b[20:], h)
	binary.BigEndian.PutUint32(b[29:], crc32.ChecksumIEEE(b[12:29]))
	return b
}

// scans is a JPEG that goes through its pixels again and again.
func scans(t testing.TB, n int) []byte {
	t.Helper()
	b := jpegOf(t, filled(8, 8, color.White))
	at := bytes.Index(b, []byte{0xff, 0xda})
	scan := bytes.TrimSuffix(b[at:], []byte{0xff, 0xd9})
	return append(append(bytes.Clone(b[:at]), bytes.Repeat(scan, n)...), 0xff, 0xd9)
}

func decoded(t testing.TB, file []byte) image.Image {
	t.Helper()
	m, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func near(a, b color.Color, tolerance int) bool {
	r1, g1, b1, a1 := a.RGBA()
	r2, g2, b2, a2 := b.RGBA()
	for _, d := range []int{int(r1) - int(r2), int(g1) - int(g2), int(b1) - int(b2), int(a1) - int(a2)} {
		if max(d, -d) > tolerance<<8 {
			return false
		}
	}
	return true
}

func TestEveryFormatBecomesASmallPNG(t *testing.T) {
	t.Parallel()
	red, green := color.NRGBA{200, 30, 30, 255}, color.NRGBA{30, 200, 30, 255}
	for _, row := range []struct {
		name string
		file []byte
		w, h int
		want color.Color
	}{
		{"a small PNG keeps its size", pngOf(t, filled(16, 9, red)), 16, 9, red},
		{"one as large as is served", pngOf(t, filled(side, side, red)), side, side, red},
		{"a large one is made small", pngOf(t, filled(512, 256, red)), side, side / 2, red},
		{"no side vanishes", pngOf(t, filled(1, maxSide, red)), 1, side, red},
		{"one as large as may be", pngOf(t, filled(maxSide, maxSide, red)), side, side, red},
		{"a size that is no multiple", pngOf(t, filled(301, 200, red)), side, 85, red},
		{"transparency is kept", pngOf(t, filled(300, 300, color.NRGBA{200, 30, 30, 128})), side, side, color.NRGBA{200, 30, 30, 128}},
		{"a JPEG", jpegOf(t, filled(200, 100, red)), side, side / 2, red},
		{"grey", jpegOf(t, image.NewGray(image.Rect(0, 0, 20, 20))), 20, 20, color.Black},
		{"the first frame of an animation", gifOf(t, 64, 64, green, red), 64, 64, green},
	} {
		out, err := thumbnail(row.file)
		if err != nil {
			t.Errorf("%s: %v", row.name, err)
			continue
		}
		m := decoded(t, out)
		if b := m.Bounds(); b.Dx() != row.w || b.Dy() != row.h {
			t.Errorf("%s: %v", row.name, b)
		}
		if got := m.At(m.Bounds().Dx()-1, m.Bounds().Dy()-1); !near(got, row.want, 4) {
			t.Errorf("%s: colour %v, want %v", row.name, got, row.want)
		}
	}
}

// A pixel is the mean of those it stands for, all of them, and each once.
func TestScalingIsAMean(t *testing.T) {
	t.Parallel()
	m := filled(2*side, 2*side, color.Transparent)
	for i := range 2 * side {
		for j := range 2 * side {
			if (i+j)%2 == 0 {
				m.Set(i, j, color.White)
			}
		}
	}
	m.Set(0, 0, color.Black)
	out, err := thumbnail(pngOf(t, m))
	if err != nil {
		t.Fatal(err)
	}
	small := decoded(t, out)
	if got, want := small.At(5, 5), (color.NRGBA{255, 255, 255, 128}); !near(got, want, 2) {
		t.Errorf("half white and half nothing is %v", got)
	}
	if got, want := small.At(0, 0), (color.NRGBA{128, 128, 128, 128}); !near(got, want, 2) {
		t.Errorf("a quarter black, a quarter white and half nothing is %v", got)
	}
	seen := 0
	for i := range 85 {
		from, to := span(i, 85, 200)
		if from != seen || to <= from {
			t.Errorf("pixel %d stands for %d to %d", i, from, to)
		}
		seen = to
	}
	if seen != 200 {
		t.Errorf("%d of 200 pixels count", seen)
	}
}

// DR-04: what is no picture, or one that is made to exhaust us, is refused before it
// is decoded.
func TestWhatIsNoLogo(t *testing.T) {
	t.Parallel()
	good := pngOf(t, filled(8, 8, color.White))
	for _, row := range []struct {
		name string
		file []byte
		want error // nil for the decoder's own
	}{
		{"nothing", nil, errFormat},
		{"SVG", []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`), errFormat},
		{"SVG with a declaration", []byte(`<?xml version="1.0"?><svg/>`), errFormat},
		{"HTML", []byte("<!doctype html><p>404"), errFormat},
		{"WebP", []byte("RIFF\x00\x00\x00\x00WEBPVP8 "), errFormat},
		{"an icon", []byte("\x00\x00\x01\x00\x01\x00"), errFormat},
		{"a PNG behind something else", append([]byte("GET / HTTP/1.1\r\n"), good...), errFormat},
		{"more bytes than may be", append(bytes.Clone(good), make([]byte, maxFile)...), errFile},
		{"a bomb of 65535 by 65535 pixels", claiming(t, 65535, 65535), errSide},
		{"one pixel too wide", claiming(t, maxSide+1, 1), errSide},
		{"one pixel too high", claiming(t, 1, maxSide+1), errSide},
		{"a GIF of 60000 pixels", []byte("GIF89a\x60\xea\x60\xea\x00\x00\x00"), errSide},
		{"a GIF without pixels", []byte("GIF89a\x00\x00\x00\x00\x00\x00\x00"), nil},
		{"a GIF whose frame is no pixel wide", []byte("GIF89a\x00\x01\x00\x01\x80\x00\x00\x00\x00\x00\xff\xff\xff,\x00\x00\x00\x00\x00\x00\xc8\x00\x00\x02\x01\x2c\x00;"), errSide},
		{"a JPEG of thousands of scans", scans(t, maxScans+1), errScans},
		{"half a PNG", good[:len(good)/2], nil},
		{"a PNG with less in it than it claims", claiming(t, 2000, 2000), nil},
		{"the beginning of a JPEG", []byte("\xff\xd8\xff\xe0"), nil},
		{"half a JPEG", jpegOf(t, filled(64, 64, color.White))[:300], nil},
		{"a GIF without a frame", []byte("GIF89a\x08\x00\x08\x00\x00\x00\x00;"), nil},
	} {
		out, err := thumbnail(row.file)
		if err == nil || out != nil || row.want != nil && !errors.Is(err, row.want) {
			t.Errorf("%s: %d bytes, %v, want %v", row.name, len(out), err, row.want)
		}
	}
	if out, err := thumbnail(scans(t, 2)); err != nil {
		t.Errorf("a JPEG of two scans: %d bytes, %v", len(out), err)
	}
}

// A document that is two formats at once, its metadata and what follows it are gone.
func TestNothingButPixelsGetsThrough(t *testing.T) {
	t.Parallel()
	const payload = "<script>alert(document.domain)</script>"
	file := pngOf(t, filled(300, 300, color.White))
	text := binary.BigEndian.AppendUint32(nil, uint32(len("Comment\x00"+payload)))
	text = append(text, "tEXtComment\x00"+payload...)
	text = binary.BigEndian.AppendUint32(text, crc32.ChecksumIEEE(text[4:]))
	end := len(file) - 12 // IEND
	file = append(append(append(bytes.Clone(file[:end]), text...), file[end:]...), payload...)
	jpegFile := jpegOf(t, filled(30, 30, color.White))
	comment := append([]byte{0xff, 0xfe, 0, byte(2 + len(payload))}, payload...)
	jpegFile = append(append(append([]byte{}, jpegFile[:2]...), comment...), jpegFile[2:]...)
	for name, file := range map[string][]byte{"PNG": file, "JPEG": jpegFile, "GIF": append(gifOf(t, 8, 8, color.White), payload...)} {
		out, err := thumbnail(file)
		if err != nil || !bytes.HasPrefix(out, []byte("\x89PNG\r\n\x1a\n")) || bytes.Contains(out, []byte("script")) || bytes.Contains(out, []byte("tEXt")) {
			t.Errorf("%s: %v, %q", name, err, out)
		}
	}
}

// FuzzThumbnail: whatever a client puts at its logo_uri, nothing panics, and what is
// served is a PNG of bounded size.
func FuzzThumbnail(f *testing.F) {
	small := filled(5, 3, color.NRGBA{1, 2, 3, 4})
	for _, seed := range [][]byte{pngOf(f, small), pngOf(f, filled(200, 150, color.White)), jpegOf(f, small), jpegOf(f, image.NewGray(image.Rect(0, 0, 9, 9))), scans(f, 3),
		gifOf(f, 4, 4, color.White, color.Black), claiming(f, 300, 200), []byte("GIF89a"), []byte("<svg/>"), nil} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		out, err := thumbnail(file)
		if err != nil {
			if out != nil {
				t.Error("bytes and an error")
			}
			return
		}
		m := decoded(t, out)
		// The pixels as they are, a byte before each line, and what the format adds.
		if b := m.Bounds(); b.Empty() || b.Dx() > side || b.Dy() > side || len(out) > side*(4*side+1)+4096 {
			t.Errorf("%v in %d bytes", b, len(out))
		}
	})
}
