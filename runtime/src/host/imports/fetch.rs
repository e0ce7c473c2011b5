//! `as-fetch`: HTTP for guests that wait for the answer, and for those that are called back (plugin ABI §8).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use skiff_abi::export::AS_CLASS_ARRAY_BUFFER;
use skiff_abi::import::AS_FETCH;

use super::{Args, Ask, Guest, Known, Outcome, Ret, WrongType};
use crate::host::fetch::{FetchMethod, FetchRequest, HEADER_BYTES_MAX, HEADERS_MAX, URL_BYTES_MAX};
use crate::host::memory::{GuestSlice, read_u32};

pub(super) const TABLE: &[Known] = &[
    // The guest is suspended by the interpreter; the asyncify machinery it brings stays idle (plugin ABI §8.4).
    Known {
        module: AS_FETCH,
        name: "_initAsyncify",
        handler: |_, _| Ok(Outcome::Done(Ret::Nothing)),
        failure: Ret::Nothing,
    },
    Known {
        module: AS_FETCH,
        name: "_fetchGETSync",
        handler: |guest, args| waiting(guest, args, FetchMethod::Get),
        failure: Ret::Int(0),
    },
    Known {
        module: AS_FETCH,
        name: "_fetchPOSTSync",
        handler: |guest, args| waiting(guest, args, FetchMethod::Post),
        failure: Ret::Int(0),
    },
    Known {
        module: AS_FETCH,
        name: "_fetchGET",
        handler: |guest, args| called_back(guest, args, FetchMethod::Get, 3),
        failure: Ret::Nothing,
    },
    Known {
        module: AS_FETCH,
        name: "_fetchPOST",
        handler: |guest, args| called_back(guest, args, FetchMethod::Post, 4),
        failure: Ret::Nothing,
    },
];

fn waiting(guest: &mut Guest<'_>, args: &Args<'_>, method: FetchMethod) -> Result<Outcome, WrongType> {
    Ok(Outcome::Ask(match request(guest, args, method)? {
        Ok(request) => Ask::Fetch(request),
        // There is no address to answer with; as-fetch takes it for an empty body.
        Err(clause) => Ask::LogThen(log::Level::Warn, format!("a fetch was refused: {clause}"), 0),
    }))
}

fn called_back(
    guest: &mut Guest<'_>,
    args: &Args<'_>,
    method: FetchMethod,
    callback: usize,
) -> Result<Outcome, WrongType> {
    let callback = args.int(callback)?;
    Ok(Outcome::Ask(match request(guest, args, method)? {
        Ok(request) => Ask::FetchLater { request, callback },
        Err(clause) => Ask::FetchRefused { clause, callback },
    }))
}

/// Reads a request; `Err` says in words what about it cannot be read.
fn request(
    guest: &mut Guest<'_>,
    args: &Args<'_>,
    method: FetchMethod,
) -> Result<Result<FetchRequest, &'static str>, WrongType> {
    let (url, headers) = (args.uint(0)?, args.uint(2)?);
    let body = if method == FetchMethod::Post { args.uint(3)? } else { 0 };
    Ok(read(guest, method, url, headers, body))
}

fn read(
    guest: &mut Guest<'_>,
    method: FetchMethod,
    url: u32,
    headers: u32,
    body: u32,
) -> Result<FetchRequest, &'static str> {
    let url = guest.managed(url).ok_or("the URL is no string")?;
    if url.len() > URL_BYTES_MAX {
        return Err("the URL is too long");
    }
    let headers = read_headers(guest, headers)?;
    let body = if body == 0 { None } else { Some(read_body(guest, body)?) };
    Ok(FetchRequest { method, url, headers, body })
}

/// Reads `string[][]`, pairs of name and value; a null pointer means none.
fn read_headers(guest: &mut Guest<'_>, array: u32) -> Result<Vec<(String, String)>, &'static str> {
    const WRONG: &str = "the headers are no list of pairs";
    let mut headers = Vec::new();
    if array == 0 {
        return Ok(headers);
    }
    let rows = elements(guest, array).filter(|rows| rows.len() <= HEADERS_MAX).ok_or(WRONG)?;
    let mut bytes = 0_usize;
    for row in rows {
        let pair = elements(guest, row).filter(|pair| pair.len() == 2).ok_or(WRONG)?;
        let &[name, value] = pair.as_slice() else { return Err(WRONG) };
        let (name, value) = (guest.managed(name).ok_or(WRONG)?, guest.managed(value).unwrap_or_default());
        bytes = bytes.saturating_add(name.len()).saturating_add(value.len());
        if bytes > HEADER_BYTES_MAX {
            return Err("the headers are too long");
        }
        headers.push((name, value));
    }
    Ok(headers)
}

/// Reads the element pointers of a managed array (plugin ABI §2.6); `None` when it is none or too long.
fn elements(guest: &Guest<'_>, array: u32) -> Option<Vec<u32>> {
    let memory = guest.memory();
    let (start, count) = (read_u32(memory, array.checked_add(4)?)?, read_u32(memory, array.checked_add(12)?)?);
    if usize::try_from(count).ok()? > HEADERS_MAX {
        return None;
    }
    let bytes = GuestSlice { ptr: start, len: count.checked_mul(4)? }.read(memory)?;
    Some(bytes.chunks_exact(4).map(|word| word.try_into().map_or(0, u32::from_le_bytes)).collect())
}

/// Reads a managed `ArrayBuffer`.
fn read_body(guest: &mut Guest<'_>, ptr: u32) -> Result<Vec<u8>, &'static str> {
    const WRONG: &str = "the body is no ArrayBuffer";
    let word = |back: u32| ptr.checked_sub(back).and_then(|at| read_u32(guest.memory(), at));
    let (Some(AS_CLASS_ARRAY_BUFFER), Some(len)) = (word(8), word(4)) else { return Err(WRONG) };
    if len > guest.state().limits.fetch_request_bytes_max {
        return Err("the body is too long");
    }
    let bytes = GuestSlice { ptr, len }.read(guest.memory()).ok_or(WRONG)?.to_vec();
    guest.charge(len);
    Ok(bytes)
}
