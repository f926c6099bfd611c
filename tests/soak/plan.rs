//! What each call is to be: drawn from the seed and the call's number alone, so that a run can be repeated
//! whichever thread happens to make the call.

use std::time::Duration;

use crate::world::Rules;

/// Where a call goes. Each lane has a listener, a credential and a pool of connections of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// One request per connection: what breaks, breaks alone. Broken connections are not retried, but a
    /// reused one that breaks before an answer is sent anew at once (I10).
    Http1,
    /// All requests on one connection, of which only streams are broken; broken ones are retried.
    Http2,
    /// HTTP/2 with faults that end the whole connection and everything on it.
    Rough,
}

pub const LANES: [Lane; 3] = [Lane::Http1, Lane::Http2, Lane::Rough];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Unary,
    Stream,
    Health,
    Models,
}

/// How the caller loses interest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancel {
    Never,
    /// Before anything can have been sent.
    AtOnce,
    /// While it is under way, or just after.
    After(Duration),
    /// As `After`, but by freeing what the caller holds.
    Freed(Duration),
}

#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub number: u64,
    pub lane: Lane,
    pub kind: Kind,
    pub fault: Option<&'static str>,
    pub cancel: Cancel,
    /// Whether the answer is to end at a stop sequence.
    pub stops: bool,
}

/// Faults that leave the connection's other requests alone, with how often of 10,000 calls they come. The
/// header that asks for them comes with each attempt.
const FAULTS: &[(u64, &str)] = &[
    (
        100,
        r#"{"type":"status","code":429,"headers":{"retry-after-ms":"1"}}"#,
    ),
    (
        100,
        r#"{"type":"status","code":503,"headers":{"retry-after-ms":"1"}}"#,
    ),
    (100, r#"{"type":"status","code":400}"#),
    (5, r#"{"type":"status","code":401}"#),
    (50, r#"{"type":"status","code":422,"body":"not JSON"}"#),
    (5, r#"{"type":"html_error","code":502}"#),
    (
        50,
        r#"{"type":"redirect","to":"https://elsewhere.example/"}"#,
    ),
    (50, r#"{"type":"empty_body","code":404}"#),
    (50, r#"{"type":"truncated_json","bytes":40}"#),
    (50, r#"{"type":"garbage_event","after":1}"#),
    (50, r#"{"type":"error_event","after":1}"#),
    (20, r#"{"type":"cut_after","chunks":1}"#),
    (20, r#"{"type":"cut_after_bytes","bytes":30}"#),
    (50, r#"{"type":"content_encoding_gzip"}"#),
    (50, r#"{"type":"wrong_content_type"}"#),
    (50, r#"{"type":"omit_done"}"#),
    (50, r#"{"type":"done_then_silence"}"#),
    (50, r#"{"type":"events_after_done"}"#),
    (100, r#"{"type":"split_bytes","size":7}"#),
    (100, r#"{"type":"crlf"}"#),
    (100, r#"{"type":"multi_line_data"}"#),
    (50, r#"{"type":"delay_headers","ms":3}"#),
    (4, STALL),
    (4, r#"{"type":"comments","every_ms":20}"#),
];
/// Faults that end the connection, for the lane with one request on each.
const CUTS: &[(u64, &str)] = &[
    (30, r#"{"type":"cut_before_answer"}"#),
    (30, r#"{"type":"cut_before_answer","reset":true}"#),
];
/// The same, which on the rough lane end other calls as well.
const ROUGH: &[(u64, &str)] = &[
    (30, r#"{"type":"cut_before_answer"}"#),
    (30, r#"{"type":"goaway"}"#),
    (10, r#"{"type":"close_after_response"}"#),
    (10, r#"{"type":"close_idle_then_reset"}"#),
];
/// Silence in the middle: the idle timeout ends it.
const STALL: &str = r#"{"type":"stall_after","chunks":1}"#;
/// What a call that is going to be cancelled may meet: nothing that is retried.
const SLOW: &[(u64, &str)] = &[(4000, r#"{"type":"delay_headers","ms":5}"#), (3000, STALL)];

/// SplitMix64 (Steele, Lea, Flood 2014): the next number and its state.
struct Random(u64);

impl Random {
    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.draw() % bound
    }

    fn one_of(&mut self, faults: &[(u64, &'static str)]) -> Option<&'static str> {
        let mut at = self.below(10_000);
        for (weight, fault) in faults {
            if at < *weight {
                return Some(fault);
            }
            at -= weight;
        }
        None
    }
}

impl Plan {
    pub fn draw(rules: Rules, number: u64) -> Plan {
        let mut random = Random(rules.seed ^ number.wrapping_mul(0xD1B5_4A32_D192_ED03));
        let kind = match random.below(100) {
            0..55 => Kind::Unary,
            55..90 => Kind::Stream,
            _ if number % rules.round < rules.storm => Kind::Unary,
            90..95 => Kind::Health,
            _ => Kind::Models,
        };
        let lane = match random.below(10) {
            0..5 => Lane::Http1,
            5..9 => Lane::Http2,
            _ if matches!(kind, Kind::Health | Kind::Models) => Lane::Http1,
            _ => Lane::Rough,
        };
        let time = Duration::from_micros(random.below(3000));
        let cancel = match random.below(100) {
            0..2 => Cancel::AtOnce,
            2..7 => Cancel::After(time),
            7..10 => Cancel::Freed(time),
            _ => Cancel::Never,
        };
        let fault = match (cancel, lane) {
            (Cancel::Never, _) => random.one_of(FAULTS).or_else(|| match lane {
                Lane::Http1 => random.one_of(CUTS),
                Lane::Http2 => None,
                Lane::Rough => random.one_of(ROUGH),
            }),
            _ => random.one_of(SLOW),
        };
        Plan {
            number,
            lane,
            kind,
            fault,
            cancel,
            stops: random.below(100) < 5,
        }
    }

    /// Whether the connection ends before any byte of the answer: then a request may be sent twice
    /// for one attempt (I10).
    pub fn cuts(&self) -> bool {
        self.fault
            .is_some_and(|fault| fault.contains("cut_before_answer"))
    }

    /// Whether it ends by a time limit only, which is a short one then.
    pub fn stalls(&self) -> bool {
        let Some(fault) = self.fault else {
            return false;
        };
        let of_streams = fault.contains("comments") || fault.contains("done_then_silence");
        fault == STALL || of_streams && self.kind == Kind::Stream
    }

    pub fn is_generation(&self) -> bool {
        matches!(self.kind, Kind::Unary | Kind::Stream)
    }

    pub fn prompt(&self) -> String {
        format!("repeat: {} and the rest of it", self.answer())
    }

    /// What every answer must begin with: nobody gets another's.
    pub fn answer(&self) -> String {
        format!("the answer to call {}", self.number)
    }

    pub const STOP: &str = " and the";
}
