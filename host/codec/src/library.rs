//! openh264 where its safe wrapper falls short: pictures with the time of the frame they came from.
//!
//! The wrapper drops the library's time stamps, and its flushing after each frame never gives back the
//! pictures it takes (openh264 2.6, `ReleaseBufferedReadyPictureReorder` without a context), which
//! ends a stream with B pictures within seconds. So the library reorders by itself here: one picture
//! behind in main and high profile, two with B pyramids, none in baseline.
//!
//! Not here: what may be fed to it (`parameter_sets`).

use heliu_model::{MediaTime, Picture, Size};
use openh264::decoder::{Decoder, DecoderConfig, Flush};
use openh264::encoder::Encoder;
use openh264::{Error, OpenH264API};
use openh264_sys2::{ENCODER_OPTION_TRACE_LEVEL, SBufferInfo, WELS_LOG_QUIET, dsErrorFree};

/// One decoder of the library.
pub(crate) struct Library(Decoder);

/// The library could not use what it was given; its state is undefined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refused;

type Planes = [*mut u8; 3];

impl Library {
    pub(crate) fn new() -> Result<Self, Error> {
        let config = DecoderConfig::new().flush_after_decode(Flush::NoFlush);
        Decoder::with_api_config(OpenH264API::from_source(), config).map(Self)
    }

    /// Decodes one access unit; what is ready to be shown may be an earlier one.
    pub(crate) fn decode(&mut self, annex_b: &[u8], pts: MediaTime) -> Result<Option<(MediaTime, Picture)>, Refused> {
        let len = i32::try_from(annex_b.len()).map_err(|_| Refused)?;
        let mut planes: Planes = [std::ptr::null_mut(); 3];
        let mut info = SBufferInfo { uiInBsTimeStamp: pts.0.cast_unsigned(), ..SBufferInfo::default() };
        #[expect(unsafe_code, reason = "the safe wrapper has no time stamps")]
        // SAFETY: source and length belong together, the library does not keep the source; `planes` and
        // `info` are what it fills in, and nothing else uses the decoder meanwhile.
        let state = unsafe {
            let planes = (&raw mut planes).cast();
            self.0.raw_api().decode_frame_no_delay(annex_b.as_ptr(), len, planes, &raw mut info)
        };
        if state == dsErrorFree { Ok(taken(planes, &info)) } else { Err(Refused) }
    }

    /// What is still held back, one after the other, at the end of a stream.
    pub(crate) fn flush(&mut self) -> Option<(MediaTime, Picture)> {
        let mut planes: Planes = [std::ptr::null_mut(); 3];
        let mut info = SBufferInfo::default();
        #[expect(unsafe_code, reason = "the safe wrapper has no time stamps")]
        // SAFETY: as in `decode`; nothing is decoded after it.
        let state = unsafe { self.0.raw_api().flush_frame((&raw mut planes).cast(), &raw mut info) };
        if state == dsErrorFree { taken(planes, &info) } else { None }
    }
}

/// Keeps the library's remarks off the standard error; what matters comes back as a value.
pub(crate) fn silence(encoder: &mut Encoder) {
    let mut level = WELS_LOG_QUIET;
    #[expect(unsafe_code, reason = "the safe wrapper sets this only after the first remarks")]
    // SAFETY: this option takes a pointer to an int and reads it at once, also before initialisation.
    unsafe {
        encoder.raw_api().set_option(ENCODER_OPTION_TRACE_LEVEL, (&raw mut level).cast());
    }
}

fn taken(planes: Planes, info: &SBufferInfo) -> Option<(MediaTime, Picture)> {
    if info.iBufferStatus != 1 || planes.iter().any(|plane| plane.is_null()) {
        return None;
    }
    #[expect(unsafe_code, reason = "a C union")]
    // SAFETY: with status 1 the library has filled in this, the union's only member.
    let memory = unsafe { info.UsrData.sSystemBuffer };
    let side = |len: i32| u32::try_from(len).ok().filter(|len| *len > 0);
    let size = Size { width: side(memory.iWidth)?, height: side(memory.iHeight)? };
    let [luma, chroma] = [side(memory.iStride[0])?, side(memory.iStride[1])?].map(|stride| stride as usize);
    let half = Size { width: size.width.div_ceil(2), height: size.height.div_ceil(2) };
    let [y, u, v] = [(planes[0], luma, size), (planes[1], chroma, half), (planes[2], chroma, half)]
        .map(|(plane, stride, size)| rows(plane, stride, size));
    let pts = MediaTime(info.uiOutYuvTimeStamp.cast_signed());
    Some((pts, Picture::new(size, y?, u?, v?)))
}

/// Copies a plane of the library's, which is valid until its next call.
fn rows(plane: *const u8, stride: usize, size: Size) -> Option<Vec<u8>> {
    let [width, height] = [size.width as usize, size.height as usize];
    if width > stride {
        return None;
    }
    let mut out = Vec::with_capacity(width * height);
    for number in 0..height {
        #[expect(unsafe_code, reason = "a C buffer")]
        // SAFETY: the library gives `height` rows, `stride` apart and at least `width` long.
        out.extend_from_slice(unsafe { std::slice::from_raw_parts(plane.add(number * stride), width) });
    }
    Some(out)
}
