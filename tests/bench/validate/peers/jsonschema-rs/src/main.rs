//! The peer jsonschema-rs: serde_json reads, a compiled validator judges. Protocol as validate.c.
use serde_json::Value;
use std::collections::HashMap;
use std::io::BufRead;

struct Case {
    validator: jsonschema::Validator,
    payloads: Vec<Vec<u8>>,
}

fn load(folder: &str, name: &str) -> Case {
    let schema = std::fs::read(format!("{folder}/{name}.schema.json")).expect("the schema");
    let lines = std::fs::read(format!("{folder}/{name}.lines")).expect("the payloads");
    let schema: Value = serde_json::from_slice(&schema).expect("JSON");
    Case {
        validator: jsonschema::validator_for(&schema).expect("a sound schema"),
        payloads: lines
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| line.to_vec())
            .collect(),
    }
}

fn judge(case: &Case, passes: usize) {
    for _ in 0..passes {
        for payload in &case.payloads {
            let value: Value = serde_json::from_slice(payload).expect("JSON");
            assert!(case.validator.is_valid(&value), "a payload does not hold");
        }
    }
}

fn cpu_now() -> i64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut now) };
    now.tv_sec as i64 * 1_000_000_000 + now.tv_nsec as i64
}

fn main() {
    let folder = std::env::args().nth(1).expect("a folder");
    let mut cases: HashMap<String, Case> = HashMap::new();
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("a line");
        let (name, passes) = line.split_once(' ').expect("CASE PASSES");
        let case = cases.entry(name.to_string()).or_insert_with(|| load(&folder, name));
        let before = cpu_now();
        judge(case, passes.trim().parse().expect("a number"));
        println!("{}", cpu_now() - before);
    }
}
