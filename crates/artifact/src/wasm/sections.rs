//! The items of the sections that are read into memory.

use wasmparser::{
    BinaryReader, CanonicalFunction, ComponentAlias, ComponentExport, ComponentExternalKind, ComponentImport,
    ComponentInstance, ComponentStartFunction, ComponentType, CoreType, Element, Export, FromReader, Global,
    ImportSectionReader, Instance, MemoryType, RecGroup, SectionLimited, Table, TagType,
};

use super::Defect;
use super::surface::Surface;

/// Reads a section of a core module, and returns its number: of its items, or the one that it consists of.
pub(super) fn module(id: u8, reader: BinaryReader<'_>, surface: Option<&mut Surface>) -> Result<u32, Defect> {
    match id {
        1 => each::<RecGroup>(reader, |_| {}),
        2 => module_imports(reader, surface),
        3 => each::<u32>(reader, |_| {}),
        4 => each::<Table<'_>>(reader, |_| {}),
        5 => each::<MemoryType>(reader, |_| {}),
        6 => each::<Global<'_>>(reader, |_| {}),
        7 => match surface {
            Some(surface) => each::<Export<'_>>(reader, |export| surface.export(export.name)),
            None => each::<Export<'_>>(reader, |_| {}),
        },
        9 => each::<Element<'_>>(reader, |_| {}),
        13 => each::<TagType>(reader, |_| {}),
        // The start function (8), and the number of data segments (12).
        _ => only(reader),
    }
}

/// Reads a section of a component.
pub(super) fn component(id: u8, reader: BinaryReader<'_>, surface: Option<&mut Surface>) -> Result<(), Defect> {
    match (id, surface) {
        (2, _) => each::<Instance<'_>>(reader, |_| {}),
        (3, _) => each::<CoreType<'_>>(reader, |_| {}),
        (5, _) => each::<ComponentInstance<'_>>(reader, |_| {}),
        (6, _) => each::<ComponentAlias<'_>>(reader, |_| {}),
        (7, None) => each::<ComponentType<'_>>(reader, |_| {}),
        (7, Some(surface)) => each::<ComponentType<'_>>(reader, |of| {
            surface.package.define(matches!(of, ComponentType::Component(_)));
        }),
        (8, _) => each::<CanonicalFunction>(reader, |_| {}),
        (10, None) => each::<ComponentImport<'_>>(reader, |_| {}),
        (10, Some(surface)) => each::<ComponentImport<'_>>(reader, |import| surface.import(&import.name.full_name())),
        (11, None) => each::<ComponentExport<'_>>(reader, |_| {}),
        (11, Some(surface)) => each::<ComponentExport<'_>>(reader, |export| {
            surface.export(&export.name.full_name());
            surface.package.export((export.kind == ComponentExternalKind::Type).then_some(export.index));
        }),
        // The start function (9).
        (_, _) => only::<ComponentStartFunction>(reader).map(|_| 0),
    }?;
    Ok(())
}

fn module_imports(reader: BinaryReader<'_>, mut surface: Option<&mut Surface>) -> Result<u32, Defect> {
    let section = ImportSectionReader::new(reader)?;
    let count = section.count();
    for import in section.into_imports() {
        let import = import?;
        if let Some(surface) = &mut surface {
            surface.import(&format!("{}.{}", import.module, import.name));
        }
    }
    Ok(count)
}

/// Reads a section that is a list of items, to its last byte.
fn each<'a, T: FromReader<'a>>(reader: BinaryReader<'a>, mut with_item: impl FnMut(T)) -> Result<u32, Defect> {
    let section = SectionLimited::<T>::new(reader)?;
    let count = section.count();
    for item in section {
        with_item(item?);
    }
    Ok(count)
}

/// Reads a section that is a single item, to its last byte.
fn only<'a, T: FromReader<'a>>(mut reader: BinaryReader<'a>) -> Result<T, Defect> {
    let item = reader.read()?;
    match reader.bytes_remaining() {
        0 => Ok(item),
        count => Err(Defect::Excess { count: count as u64 }),
    }
}
