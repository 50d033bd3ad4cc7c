//! Which paths are media files: `/<address>.flv`, where the address's app has an owner (architecture §3,
//! *Address*, and §4, *Who owns a path*).

use heliu_model::Address;

const FLV: &str = ".flv";

/// The address behind a raw path; `None`: it is no media file. Each segment is percent-decoded once,
/// `+` is itself.
pub(crate) fn flv_address(path: &str) -> Option<Address> {
    let address = path.strip_prefix('/')?.strip_suffix(FLV)?;
    Address::from_path(address).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_with_an_app_a_name_and_the_ending_is_a_file() {
        for (path, want) in [
            ("/live/x.flv", Some("live/x")),
            ("/a/b/c.flv", Some("a/b/c")),
            ("/live/a+b%20c.flv", Some("live/a+b c")),
            ("/live/%2541.flv", Some("live/%41")),
            ("/live/x.flv.flv", Some("live/x.flv")),
            ("/live/x.FLV", None),
            ("/live/x", None),
            ("/live/.flv", None),
            ("/x.flv", None),
            ("/live/%2e%2e.flv", None),
            ("/live/a%2fb.flv", None),
            ("/live/x.flv/", None),
            ("*", None),
        ] {
            assert_eq!(flv_address(path).as_ref().map(Address::as_str), want, "{path}");
        }
    }
}
