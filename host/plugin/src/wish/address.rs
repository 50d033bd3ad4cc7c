//! Public names: `addresses.put`.

use heliu_model::{Address, AddressIntent, Namespace};

use super::{invalid, millis, options, publication, room};
use crate::bindings::addresses;
use crate::bindings::types::Error;

const WAIT_MS_MAX: u32 = 120_000;
const HOLD_MS_MAX: u32 = 3_600_000;

/// Joins the two parts of a name.
pub(crate) fn address(app: &str, name: &str) -> Result<Address, Error> {
    let has_one_segment = !app.contains('/');
    match Address::parse(&format!("{app}/{name}")) {
        Ok(address) if has_one_segment => Ok(address),
        _ => invalid("name"),
    }
}

/// Checks and translates one name.
pub(crate) fn address_intent(
    namespace: &Namespace,
    address: Address,
    behind: &addresses::Address,
) -> Result<AddressIntent, Error> {
    let [wait_ms, hold_ms] = options(&behind.options, ["wait-ms", "hold-ms"])?;
    Ok(AddressIntent {
        address,
        room: room(namespace, &behind.room)?,
        publication: publication(&behind.publication)?,
        wait_ms: millis("wait-ms", wait_ms, WAIT_MS_MAX)?,
        hold_ms: millis("hold-ms", hold_ms, HOLD_MS_MAX)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::types::Field;

    #[test]
    fn a_name_has_an_app_and_options_that_are_served() {
        for (what, app, name, bag, want) in [
            ("plain", "live", "a/b", vec![], None),
            ("patient", "live", "a", vec![("wait-ms", "5000"), ("hold-ms", "1")], None),
            ("no number", "live", "a", vec![("wait-ms", "soon")], Some("wait-ms")),
            ("too long", "live", "a", vec![("wait-ms", "120001")], Some("wait-ms")),
            ("not served", "live", "a", vec![("hls", "now")], Some("hls")),
            ("no name", "live", "", vec![], Some("name")),
            ("two segments for an app", "live/a", "b", vec![], Some("name")),
            ("relative", "live", "../b", vec![], Some("name")),
        ] {
            let options = bag.into_iter().map(|(name, value)| Field { name: name.into(), value: value.into() });
            let behind = addresses::Address { room: "r".into(), publication: "p".into(), options: options.collect() };
            let got = address(app, name).and_then(|address| address_intent(&"n".parse().unwrap(), address, &behind));
            assert_eq!(got.err(), want.map(|name| Error::Invalid(name.to_owned())), "{what}");
        }
    }
}
