//! A decoded picture: I420, shared by reference.

use std::sync::Arc;

use crate::Size;

/// Planar 4:2:0, eight bits, without padding between rows. Chroma planes are `(width + 1) / 2` by
/// `(height + 1) / 2`. Cloning shares the planes.
#[derive(Clone)]
pub struct Picture(Arc<Planes>);

struct Planes {
    size: Size,
    y: Vec<u8>,
    u: Vec<u8>,
    v: Vec<u8>,
}

impl Picture {
    /// Takes three planes.
    ///
    /// # Panics
    /// A plane's length does not follow from `size`: a bug of the caller, who has checked his input.
    #[must_use]
    pub fn new(size: Size, y: Vec<u8>, u: Vec<u8>, v: Vec<u8>) -> Self {
        let (luma, chroma) = Self::plane_lens(size);
        assert!(y.len() == luma && u.len() == chroma && v.len() == chroma, "planes that fit {size:?}");
        Self(Arc::new(Planes { size, y, u, v }))
    }

    /// One colour.
    #[must_use]
    pub fn filled(size: Size, [y, u, v]: [u8; 3]) -> Self {
        let (luma, chroma) = Self::plane_lens(size);
        Self::new(size, vec![y; luma], vec![u; chroma], vec![v; chroma])
    }

    /// Bytes of the luma plane and of each chroma plane.
    #[must_use]
    pub fn plane_lens(size: Size) -> (usize, usize) {
        let [width, height] = [size.width as usize, size.height as usize];
        (width * height, width.div_ceil(2) * height.div_ceil(2))
    }

    /// Width and height of the luma plane.
    #[must_use]
    pub fn size(&self) -> Size {
        self.0.size
    }

    /// Luma, one byte a pixel, stride = width.
    #[must_use]
    pub fn y(&self) -> &[u8] {
        &self.0.y
    }

    /// Blue difference, stride = (width + 1) / 2.
    #[must_use]
    pub fn u(&self) -> &[u8] {
        &self.0.u
    }

    /// Red difference, stride = (width + 1) / 2.
    #[must_use]
    pub fn v(&self) -> &[u8] {
        &self.0.v
    }

    /// Is this the same memory, not only the same content?
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture({}x{})", self.0.size.width, self.0.size.height)
    }
}
