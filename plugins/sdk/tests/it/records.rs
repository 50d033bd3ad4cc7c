//! Tables, and what becomes of them.

use heliu_sdk::fake::FakeHost;
use heliu_sdk::{Error, Plugin, Record, Table};

const NUMBERS: Table<u64, String> = Table::new("number/");
const PAIRS: Table<(String, u64), u32> = Table::new("pair/");
const SETTING: Record<Vec<u8>> = Record::new("setting");

#[test]
fn a_table_is_ordered_and_scanned_to_its_end() {
    host()
        .within(|| {
            for number in (1..=2_500).rev() {
                NUMBERS.put(&number, &format!("{number}"))?;
            }
            let found = NUMBERS.scan("")?;
            assert!(found.iter().map(|(number, _)| *number).eq(1..=2_500));
            assert_eq!(found[1_999].1, "2000");
            assert_eq!(NUMBERS.count("")?, 2_500);
            NUMBERS.clear("")?;
            assert_eq!(NUMBERS.scan("")?, []);
            Ok::<(), Error>(())
        })
        .unwrap();
}

#[test]
fn records_come_and_go_by_key() {
    host()
        .within(|| {
            let key = ("a".to_owned(), 7);
            assert_eq!(PAIRS.get(&key)?, None);
            PAIRS.put(&key, &1)?;
            PAIRS.put(&("ab".to_owned(), 7), &2)?;
            assert_eq!(PAIRS.scan("a/")?, [(key.clone(), 1)]);
            PAIRS.delete(&key)?;
            assert_eq!(PAIRS.get(&key)?, None);
            assert_eq!(SETTING.get()?, None);
            SETTING.put(&vec![1, 2])?;
            assert_eq!(SETTING.get()?, Some(vec![1, 2]));
            Ok::<(), Error>(())
        })
        .unwrap();
}

#[test]
fn a_record_of_another_type_is_an_error_that_names_it() {
    let error = host().within(|| {
        Table::<u64, u32>::new("number/").put(&1, &1)?;
        NUMBERS.get(&1)
    });
    let Err(Error::Invalid(text)) = error else { panic!("{error:?}") };
    assert!(text.starts_with("record number/00000000000000000001: "), "{text}");
}

fn host() -> FakeHost {
    FakeHost::new(|| Plugin::new("test", "0"))
}
