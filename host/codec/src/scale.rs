//! Scales one plane of bytes.
//!
//! By halves first, each sample the mean of the two or four it covers, until less than a factor of two
//! is left; bilinear for that rest and for growing. So every source sample counts and nothing flickers.
//! The loops are plain and vectorised by the compiler, once for every x86-64 and once more for AVX2.
//!
//! Not here: colours, crops in pixels, pictures of several planes (`compose`).

/// Rows without padding.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plane<'a> {
    pub(crate) samples: &'a [u8],
    pub(crate) width: usize,
    pub(crate) height: usize,
}

/// A part of a line, in samples; it may begin and end inside one, as the chroma of an odd crop does.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    pub(crate) start: f64,
    pub(crate) len: f64,
}

/// Compiles a function, with all it inlines, once more for AVX2 and chooses at run time.
macro_rules! twice {
    ($name:ident from $plain:ident ($($argument:ident: $kind:ty),*)) => {
        fn $name($($argument: $kind),*) -> Vec<u8> {
            #[cfg(target_arch = "x86_64")]
            if std::is_x86_feature_detected!("avx2") {
                #[target_feature(enable = "avx2")]
                fn avx2($($argument: $kind),*) -> Vec<u8> {
                    $plain($($argument),*)
                }
                #[expect(unsafe_code, reason = "the same safe loops compiled for AVX2, four times as fast")]
                // SAFETY: the processor has just been asked for AVX2, all the function needs.
                return unsafe { avx2($($argument),*) };
            }
            $plain($($argument),*)
        }
    };
}

twice!(halve from halve_plain(samples: &[u8], cut: Cut, by: [bool; 2]));
twice!(bilinear from bilinear_plain(samples: &[u8], cut: Cut, spans: [Span; 2], to: [usize; 2]));

/// The part `x` × `y` of `source`, scaled to `width` × `height`. Nothing of it is empty and the spans
/// lie inside the plane.
pub(crate) fn scale(source: Plane<'_>, x: Span, y: Span, width: usize, height: usize) -> Vec<u8> {
    let (mut cut, mut x, mut y) = Cut::new(source, x, y);
    let mut halved: Option<Vec<u8>> = None;
    loop {
        if cut.is_all_of(x, y, width, height)
            && let Some(halved) = halved
        {
            return halved;
        }
        let samples = halved.as_deref().unwrap_or(source.samples);
        let by = [x.len >= 2.0 * width as f64, y.len >= 2.0 * height as f64];
        if by == [false, false] {
            return bilinear(samples, cut, [x, y], [width, height]);
        }
        let next = halve(samples, cut, by);
        cut = cut.halved(by);
        [x, y] = [x.halved(by[0]), y.halved(by[1])];
        halved = Some(next);
    }
}

/// The samples of a plane that matter: rows of `stride` from `first` on.
#[derive(Clone, Copy)]
struct Cut {
    first: usize,
    stride: usize,
    width: usize,
    height: usize,
}

impl Cut {
    /// The whole samples under two spans, and the spans from there.
    fn new(source: Plane<'_>, x: Span, y: Span) -> (Self, Span, Span) {
        let (left, width, x) = x.whole(source.width);
        let (top, height, y) = y.whole(source.height);
        (Self { first: top * source.width + left, stride: source.width, width, height }, x, y)
    }

    /// Is nothing left to scale?
    fn is_all_of(&self, x: Span, y: Span, width: usize, height: usize) -> bool {
        x.is_every_sample(width, self.width) && y.is_every_sample(height, self.height)
    }

    fn row<'a>(&self, samples: &'a [u8], number: usize) -> &'a [u8] {
        let start = self.first + number.min(self.height - 1) * self.stride;
        &samples[start..start + self.width]
    }

    fn halved(self, [by_x, by_y]: [bool; 2]) -> Self {
        let width = if by_x { self.width.div_ceil(2) } else { self.width };
        let height = if by_y { self.height.div_ceil(2) } else { self.height };
        Self { first: 0, stride: width, width, height }
    }
}

impl Span {
    /// First whole sample, number of samples, and the span counted from the first.
    fn whole(self, limit: usize) -> (usize, usize, Self) {
        let first = self.start as usize;
        let end = ((self.start + self.len).ceil() as usize).min(limit);
        (first, end - first, Self { start: self.start - first as f64, len: self.len })
    }

    fn halved(self, is_halved: bool) -> Self {
        let factor = if is_halved { 0.5 } else { 1.0 };
        Self { start: self.start * factor, len: self.len * factor }
    }

    /// For each of `count` samples spread over the span: the source sample at or before its middle,
    /// and how far towards the next it is, in 256ths.
    #[inline(always)]
    fn steps(self, count: usize, limit: usize) -> impl Iterator<Item = (usize, u16)> {
        let step = self.len / count as f64;
        let last = (limit - 1) as f64;
        (0..count).map(move |number| {
            let at = (self.start + (number as f64 + 0.5) * step - 0.5).clamp(0.0, last);
            (at as usize, (at.fract() * 256.0).round() as u16)
        })
    }

    fn is_every_sample(self, count: usize, limit: usize) -> bool {
        self.start == 0.0 && self.len == count as f64 && count == limit
    }
}

#[inline(always)]
fn halve_plain(samples: &[u8], cut: Cut, by: [bool; 2]) -> Vec<u8> {
    let to = cut.halved(by);
    let mut out = vec![0; to.width * to.height];
    for (number, out) in out.chunks_exact_mut(to.width).enumerate() {
        match by {
            [true, true] => mean_of_four(cut.row(samples, 2 * number), cut.row(samples, 2 * number + 1), out),
            [true, false] => mean_of_neighbours(cut.row(samples, number), out),
            [false, true] => mean_of_rows(cut.row(samples, 2 * number), cut.row(samples, 2 * number + 1), out),
            [false, false] => out.copy_from_slice(cut.row(samples, number)),
        }
    }
    out
}

#[inline(always)]
fn mean_of_four(top: &[u8], bottom: &[u8], out: &mut [u8]) {
    for ((out, top), bottom) in out.iter_mut().zip(top.chunks_exact(2)).zip(bottom.chunks_exact(2)) {
        *out = ((sum_of_pair(top) + sum_of_pair(bottom) + 2) >> 2) as u8;
    }
    if let ([.., top], [.., bottom], [.., out], 1) = (top, bottom, out, top.len() % 2) {
        *out = (u16::from(*top) + u16::from(*bottom)).div_ceil(2) as u8;
    }
}

#[inline(always)]
fn mean_of_neighbours(row: &[u8], out: &mut [u8]) {
    for (out, pair) in out.iter_mut().zip(row.chunks_exact(2)) {
        *out = sum_of_pair(pair).div_ceil(2) as u8;
    }
    if let ([.., row], [.., out], 1) = (row, out, row.len() % 2) {
        *out = *row;
    }
}

/// Both bytes of one 16-bit word: neighbours need no shuffling to become lanes of a vector.
#[inline(always)]
fn sum_of_pair(pair: &[u8]) -> u16 {
    let word = u16::from_le_bytes([pair[0], pair[1]]);
    (word & 0xff) + (word >> 8)
}

#[inline(always)]
fn mean_of_rows(top: &[u8], bottom: &[u8], out: &mut [u8]) {
    for ((out, top), bottom) in out.iter_mut().zip(top).zip(bottom) {
        *out = (u16::from(*top) + u16::from(*bottom)).div_ceil(2) as u8;
    }
}

#[inline(always)]
fn bilinear_plain(samples: &[u8], cut: Cut, [x, y]: [Span; 2], [width, height]: [usize; 2]) -> Vec<u8> {
    let columns: Vec<(u32, u16)> = x.steps(width, cut.width).map(|(number, weight)| (number as u32, weight)).collect();
    let keeps_columns = x.is_every_sample(width, cut.width);
    // One more, so that the last sample has a neighbour; its weight is nothing.
    let mut between = vec![0; cut.width + 1];
    let mut out = vec![0; width * height];
    for (out, (number, weight)) in out.chunks_exact_mut(width).zip(y.steps(height, cut.height)) {
        let [top, bottom] = [cut.row(samples, number), cut.row(samples, number + 1)];
        if keeps_columns {
            blend(top, bottom, weight, out);
        } else {
            blend(top, bottom, weight, &mut between);
            pick(&between, &columns, out);
        }
    }
    out
}

#[inline(always)]
fn blend(top: &[u8], bottom: &[u8], weight: u16, out: &mut [u8]) {
    if weight == 0 {
        out[..top.len()].copy_from_slice(top);
        return;
    }
    for ((out, top), bottom) in out.iter_mut().zip(top).zip(bottom) {
        *out = mixed(*top, *bottom, weight);
    }
}

#[inline(always)]
fn pick(row: &[u8], columns: &[(u32, u16)], out: &mut [u8]) {
    for (out, (number, weight)) in out.iter_mut().zip(columns) {
        if let Some([before, after]) = row[*number as usize..].first_chunk() {
            *out = mixed(*before, *after, *weight);
        }
    }
}

/// `weight` of 256 parts `after`. At most 255 · 256 + 128: fits 16 bits.
#[inline(always)]
fn mixed(before: u8, after: u8, weight: u16) -> u8 {
    ((u16::from(before) * (256 - weight) + u16::from(after) * weight + 128) >> 8) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    const HD: (usize, usize) = (1280, 720);

    #[test]
    fn scaled_planes_are_close_to_the_area_mean() {
        for (from, to) in [
            (HD, (640, 360)),
            (HD, (320, 180)),
            (HD, (426, 240)),
            (HD, (1280, 720)),
            (HD, (1270, 360)),
            ((320, 240), (640, 480)),
            ((320, 240), (500, 700)),
            ((33, 17), (32, 16)),
            ((33, 1000), (20, 20)),
        ] {
            let samples = smooth(from);
            let got = whole(&samples, from, to);
            for (number, got) in got.iter().enumerate() {
                let want = mean(&samples, from, to, (number % to.0, number / to.0));
                // Bilinear is not a mean; on a smooth source the two differ by little.
                assert!((f64::from(*got) - want).abs() <= 4.0, "{from:?} to {to:?} at {number}: {got}, not {want}");
            }
        }
    }

    #[test]
    fn a_scale_of_one_changes_nothing_and_one_colour_stays() {
        let noise: Vec<u8> = (0..33 * 21).map(|number: u32| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        assert_eq!(whole(&noise, (33, 21), (33, 21)), noise);
        for from in [(33, 21), (1, 1), (3, 5), (7, 1000), (1000, 1)] {
            for to in [(2, 2), (10, 50), (66, 42), (31, 20), (1, 1)] {
                let scaled = whole(&vec![255; from.0 * from.1], from, to);
                assert!(scaled.iter().all(|sample| *sample == 255), "{from:?} to {to:?}");
            }
        }
    }

    #[test]
    fn halves_are_rounded_means() {
        assert_eq!(whole(&[0, 1, 2, 4], (2, 2), (1, 1)), [2]);
        assert_eq!(whole(&[0, 3, 255, 255], (4, 1), (2, 1)), [2, 255]);
        assert_eq!(whole(&[0, 3, 255, 255], (1, 4), (1, 2)), [2, 255]);
    }

    #[test]
    fn a_crop_is_only_what_lies_inside() {
        let samples: Vec<u8> = (0..100).map(|number| if number % 10 < 5 { 0 } else { 200 }).collect();
        let source = Plane { samples: &samples, width: 10, height: 10 };
        let part = |start, len| Span { start, len };
        assert_eq!(scale(source, part(5.0, 5.0), part(3.0, 4.0), 2, 2), [200; 4]);
        assert_eq!(scale(source, part(0.0, 5.0), part(9.0, 1.0), 4, 3), [0; 12]);
        let split = scale(source, part(0.5, 9.0), part(0.5, 9.0), 2, 1);
        assert!(split[0] < 40 && split[1] > 160, "{split:?}");
    }

    #[test]
    fn both_compilations_agree() {
        let samples = smooth(HD);
        let cut = Cut { first: 3, stride: HD.0, width: 1111, height: 601 };
        for by in [[true, true], [true, false], [false, true]] {
            assert_eq!(halve(&samples, cut, by), halve_plain(&samples, cut, by));
        }
        let spans = [Span { start: 0.0, len: 1111.0 }, Span { start: 0.5, len: 600.0 }];
        for to in [[700, 400], [1300, 601], [1111, 500]] {
            assert_eq!(bilinear(&samples, cut, spans, to), bilinear_plain(&samples, cut, spans, to));
        }
    }

    fn whole(samples: &[u8], (width, height): (usize, usize), to: (usize, usize)) -> Vec<u8> {
        let span = |len: usize| Span { start: 0.0, len: len as f64 };
        scale(Plane { samples, width, height }, span(width), span(height), to.0, to.1)
    }

    fn smooth((width, height): (usize, usize)) -> Vec<u8> {
        let wave = |at: usize, len: usize| ((at as f64 + 0.5) / len as f64 * 5.0).sin();
        (0..width * height)
            .map(|number| (127.5 + 60.0 * wave(number % width, width) + 60.0 * wave(number / width, height)) as u8)
            .collect()
    }

    /// The exact mean over the source area of one target sample.
    fn mean(samples: &[u8], from: (usize, usize), to: (usize, usize), at: (usize, usize)) -> f64 {
        let covered = |at: usize, from: usize, to: usize| {
            let (start, end) = (at as f64 * from as f64 / to as f64, (at + 1) as f64 * from as f64 / to as f64);
            (start as usize..(end.ceil() as usize).min(from))
                .map(move |number| (number, (end.min(number as f64 + 1.0) - start.max(number as f64)) / (end - start)))
        };
        covered(at.1, from.1, to.1)
            .flat_map(|(y, weight)| covered(at.0, from.0, to.0).map(move |(x, other)| (x, y, weight * other)))
            .map(|(x, y, weight)| f64::from(samples[y * from.0 + x]) * weight)
            .sum()
    }
}
