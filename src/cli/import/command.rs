//! `onhand import FILE` and `onhand import products FILE` on one command line.
//!
//! The word `products` in the place of the file is the command; a file of that name is `./products`.

use clap::{ArgMatches, Args, Command, Error, FromArgMatches};

use super::options::ImportArgs;
use super::products::ProductsArgs;

/// The kind of file that is imported.
#[derive(Clone, Debug)]
pub enum ImportCommand {
    /// A file of movements.
    Movements(Box<ImportArgs>),
    /// A file of products.
    Products(Box<ProductsArgs>),
}

const PRODUCTS: &str = "products";

impl Args for ImportCommand {
    fn augment_args(command: Command) -> Command {
        ImportArgs::augment_args(command)
            .args_conflicts_with_subcommands(true)
            .subcommand_negates_reqs(true)
            .disable_help_subcommand(true)
            .subcommand(ProductsArgs::augment_args(Command::new(PRODUCTS)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for ImportCommand {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        match matches.subcommand() {
            Some((PRODUCTS, matches)) => {
                ProductsArgs::from_arg_matches(matches).map(Box::new).map(Self::Products)
            }
            _ => ImportArgs::from_arg_matches(matches).map(Box::new).map(Self::Movements),
        }
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &str) -> Result<ImportCommand, Error> {
        let command =
            ImportCommand::augment_args(Command::new("import")).mut_args(|argument| argument.env(None));
        ImportCommand::from_arg_matches(&command.try_get_matches_from(words.split(' '))?)
    }

    #[test]
    fn the_word_products_is_the_command_and_anything_else_a_file() {
        const COLUMNS: &str = "--store S --sku-column sku --quantity-column qty";
        let file = |words: &str| match read(words) {
            Ok(ImportCommand::Movements(args)) => Ok(args.file.display().to_string()),
            Ok(ImportCommand::Products(args)) => Ok(format!("products of {}", args.file.display())),
            Err(error) => Err(error.kind()),
        };
        for (words, expected) in [
            (format!("import sales.csv {COLUMNS}"), "sales.csv"),
            (format!("import {COLUMNS} sales.csv"), "sales.csv"),
            (format!("import ./products {COLUMNS}"), "./products"),
            (format!("import {COLUMNS} products"), "products"),
            (format!("import help {COLUMNS}"), "help"),
            ("import products a.csv".to_owned(), "products of a.csv"),
            ("import products products --update".to_owned(), "products of products"),
        ] {
            assert_eq!(file(&words), Ok(expected.to_owned()), "{words}");
        }
        for words in
            ["import", "import sales.csv", "import products", "import products a.csv --quantity-column q"]
        {
            assert!(file(words).is_err(), "{words}");
        }
    }
}
