//! `as-fetch`: HTTP for guests that wait for the answer, and for those that are called back (plugin ABI §8).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use skiff_abi::export::AS_CLASS_ARRAY_BUFFER;

use super::{Caller, Outcome};
use crate::host::Services;
use crate::host::engine::GuestSlice;
use crate::host::fetch::{FetchMethod, FetchRequest, HEADER_BYTES_MAX, HEADERS_MAX, URL_BYTES_MAX};

/// The guest is suspended by the interpreter; the asyncify machinery it brings stays idle (plugin ABI §8.4).
pub(super) fn init_asyncify(_: &mut Caller<'_>, _data: u32, _end: u32) {}

pub(super) fn fetch_get_sync(
    caller: &mut Caller<'_>,
    services: &mut dyn Services,
    url: u32,
    _mode: i32,
    headers: u32,
) -> Outcome {
    waiting(services, request(caller, FetchMethod::Get, url, headers, 0))
}

pub(super) fn fetch_post_sync(
    caller: &mut Caller<'_>,
    services: &mut dyn Services,
    url: u32,
    _mode: i32,
    headers: u32,
    body: u32,
) -> Outcome {
    waiting(services, request(caller, FetchMethod::Post, url, headers, body))
}

pub(super) fn fetch_get(
    caller: &mut Caller<'_>,
    services: &mut dyn Services,
    url: u32,
    _mode: i32,
    headers: u32,
    callback: i32,
) {
    called_back(services, request(caller, FetchMethod::Get, url, headers, 0), callback);
}

pub(super) fn fetch_post(
    caller: &mut Caller<'_>,
    services: &mut dyn Services,
    url: u32,
    _mode: i32,
    headers: u32,
    body: u32,
    callback: i32,
) {
    called_back(services, request(caller, FetchMethod::Post, url, headers, body), callback);
}

fn refused(services: &mut dyn Services, clause: &str) {
    services.log(log::Level::Warn, &format!("a fetch was refused: {clause}"));
}

fn waiting(services: &mut dyn Services, request: Result<FetchRequest, &'static str>) -> Outcome {
    match request {
        Ok(request) => Outcome::Fetch(request),
        // There is no address to answer with; as-fetch takes it for an empty body.
        Err(clause) => {
            refused(services, clause);
            Outcome::from(0)
        }
    }
}

fn called_back(services: &mut dyn Services, request: Result<FetchRequest, &'static str>, callback: i32) {
    match request {
        Ok(request) => services.fetch_later(request, callback),
        Err(clause) => {
            refused(services, clause);
            services.fetch_refused(callback);
        }
    }
}

/// Reads a request; `Err` says in words what about it cannot be read.
fn request(
    caller: &mut Caller<'_>,
    method: FetchMethod,
    url: u32,
    headers: u32,
    body: u32,
) -> Result<FetchRequest, &'static str> {
    let url = caller.managed(url).ok_or("the URL is no string")?;
    if url.len() > URL_BYTES_MAX {
        return Err("the URL is too long");
    }
    let headers = read_headers(caller, headers)?;
    let body = if body == 0 { None } else { Some(read_body(caller, body)?) };
    Ok(FetchRequest { method, url, headers, body })
}

/// Reads `string[][]`, pairs of name and value; a null pointer means none.
fn read_headers(caller: &mut Caller<'_>, array: u32) -> Result<Vec<(String, String)>, &'static str> {
    const WRONG: &str = "the headers are no list of pairs";
    let mut headers = Vec::new();
    if array == 0 {
        return Ok(headers);
    }
    let rows = elements(caller, array).filter(|rows| rows.len() <= HEADERS_MAX).ok_or(WRONG)?;
    let mut bytes = 0_usize;
    for row in rows {
        let pair = elements(caller, row).filter(|pair| pair.len() == 2).ok_or(WRONG)?;
        let &[name, value] = pair.as_slice() else { return Err(WRONG) };
        let (name, value) = (caller.managed(name).ok_or(WRONG)?, caller.managed(value).unwrap_or_default());
        bytes = bytes.saturating_add(name.len()).saturating_add(value.len());
        if bytes > HEADER_BYTES_MAX {
            return Err("the headers are too long");
        }
        headers.push((name, value));
    }
    Ok(headers)
}

/// Reads the element pointers of a managed array (plugin ABI §2.6); `None` when it is none or too long.
fn elements(caller: &Caller<'_>, array: u32) -> Option<Vec<u32>> {
    let memory = caller.memory();
    let (start, count) = (memory.word(array.checked_add(4)?)?, memory.word(array.checked_add(12)?)?);
    if usize::try_from(count).ok()? > HEADERS_MAX {
        return None;
    }
    let bytes = memory.bytes(GuestSlice { ptr: start, len: count.checked_mul(4)? })?;
    Some(bytes.chunks_exact(4).map(|word| word.try_into().map_or(0, u32::from_le_bytes)).collect())
}

/// Reads a managed `ArrayBuffer`.
fn read_body(caller: &mut Caller<'_>, ptr: u32) -> Result<Vec<u8>, &'static str> {
    const WRONG: &str = "the body is no ArrayBuffer";
    let word = |back: u32| ptr.checked_sub(back).and_then(|at| caller.memory().word(at));
    let (Some(AS_CLASS_ARRAY_BUFFER), Some(len)) = (word(8), word(4)) else { return Err(WRONG) };
    let limit = caller.state().limits.fetch_request_bytes_max;
    if len > limit {
        return Err("the body is too long");
    }
    Ok(caller.bytes_of(GuestSlice { ptr, len }, limit).ok_or(WRONG)?.into_owned())
}
