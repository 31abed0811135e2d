//! A template's text as trees: the text's own, and those it defines.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::ast::{Block, Choice, Loop, Node, Source, Tree};
use super::error::TemplateError;
use super::lex::{Kind, Token, tokens};

mod pipe;

/// Templates by name.
pub(super) type Trees = BTreeMap<Arc<str>, Arc<Tree>>;

/// Blocks and parentheses in each other. More would be a danger to the stack.
const MAX_NESTING: usize = 60;
/// Variables that are alive at one place.
const MAX_VARIABLES: usize = 1000;
/// Bytes of a template's text.
const MAX_TEXT: usize = 1 << 20;

/// Reads a text. `variables` are those it finds already declared, after `$`.
pub(super) fn parse(name: &str, text: &str, variables: &[&str]) -> Result<Trees, TemplateError> {
    let source = Arc::new(Source { name: name.to_owned(), text: text.to_owned() });
    if text.len() > MAX_TEXT {
        let message = format!("the template has {} bytes, and {MAX_TEXT} is the limit", text.len());
        return Err(TemplateError::parse(name, "", 0, message));
    }
    let mut parser = Parser {
        source: &source,
        tokens: tokens(text),
        at: 0,
        variables: [&["$"], variables].concat(),
        nesting: 0,
        loops: 0,
        trees: BTreeMap::new(),
    };
    let (body, _) = parser.block(Place::Top)?;
    parser.define(name.into(), body)?;
    Ok(parser.trees)
}

/// What a block stands in, which decides how it may end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The text itself: ends with it.
    Top,
    /// Ends with `end`.
    Plain,
    /// Ends with `end` or `else`.
    Branch,
}

/// How a block ended; the rest of `{{else …}}` is still to be read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Closed {
    End,
    Else,
}

struct Parser<'a> {
    source: &'a Arc<Source>,
    tokens: Vec<Token>,
    at: usize,
    /// The names of the variables in scope; the place of one is its place while running.
    variables: Vec<&'a str>,
    nesting: usize,
    /// Loops around, inside the present template.
    loops: usize,
    trees: Trees,
}

impl<'a> Parser<'a> {
    fn text_of(&self, token: &Token) -> &'a str {
        let source: &'a Source = self.source;
        &source.text[token.span.clone()]
    }

    fn peek(&self) -> &Token {
        // The last token is never taken.
        &self.tokens[self.at.min(self.tokens.len() - 1)]
    }

    fn next(&mut self) -> Token {
        let token = self.peek().clone();
        if self.at + 1 < self.tokens.len() {
            self.at += 1;
        }
        token
    }

    fn skip_space(&mut self) {
        while self.peek().kind == Kind::Space {
            self.next();
        }
    }

    fn next_word(&mut self) -> Token {
        self.skip_space();
        self.next()
    }

    fn error(&self, byte: usize, message: impl Into<String>) -> TemplateError {
        TemplateError::parse(&self.source.name, &self.source.text, byte, message)
    }

    fn unexpected(&self, token: &Token, context: &str) -> TemplateError {
        let message = match &token.kind {
            Kind::Error(message) => message.clone(),
            Kind::End => "unexpected EOF".to_owned(),
            Kind::Left => format!("unexpected {{{{ in {context}"),
            Kind::Right => format!("unexpected \"}}}}\" in {context}"),
            Kind::Keyword => format!("unexpected <{}> in {context}", self.text_of(token)),
            _ => format!("unexpected {:?} in {context}", self.text_of(token)),
        };
        self.error(token.span.start, message)
    }

    /// One level deeper, and back.
    fn nested<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, TemplateError>,
    ) -> Result<T, TemplateError> {
        self.nesting += 1;
        if self.nesting > MAX_NESTING {
            let message = format!("blocks and parentheses nest more than {MAX_NESTING} deep");
            return Err(self.error(self.peek().span.start, message));
        }
        let read = read(self);
        self.nesting -= 1;
        read
    }

    fn declare(&mut self, byte: usize, name: &'a str) -> Result<usize, TemplateError> {
        if self.variables.len() >= MAX_VARIABLES {
            return Err(self.error(byte, format!("more than {MAX_VARIABLES} variables")));
        }
        self.variables.push(name);
        Ok(self.variables.len() - 1)
    }

    fn block(&mut self, place: Place) -> Result<(Block, Closed), TemplateError> {
        let mut nodes = Block::new();
        loop {
            let token = self.next();
            match token.kind {
                Kind::Text => nodes.push(Node::Text(token.span)),
                Kind::Left => {
                    self.skip_space();
                    if self.peek().kind == Kind::Keyword && self.text_of(self.peek()) != "nil" {
                        let keyword = self.next();
                        match self.text_of(&keyword) {
                            "end" if place != Place::Top => {
                                self.right("end")?;
                                return Ok((nodes, Closed::End));
                            }
                            "else" if place == Place::Branch => return Ok((nodes, Closed::Else)),
                            "define" if place == Place::Top => self.definition()?,
                            word => nodes.push(self.keyword(&keyword, word)?),
                        }
                    } else {
                        let pipe = self.pipe("command", false)?;
                        nodes.push(Node::Print(pipe));
                    }
                }
                Kind::End if place == Place::Top => return Ok((nodes, Closed::End)),
                _ => return Err(self.unexpected(&token, "input")),
            }
        }
    }

    /// A part that begins with a keyword, which has been read.
    fn keyword(&mut self, token: &Token, word: &str) -> Result<Node, TemplateError> {
        match word {
            "if" => Ok(Node::If(self.choice("if")?)),
            "with" => Ok(Node::With(self.choice("with")?)),
            "range" => self.range(),
            "template" => self.template(token),
            "block" => self.inline(token),
            "break" | "continue" => {
                self.right(word)?;
                if self.loops == 0 {
                    let message = format!("{{{{{word}}}}} outside {{{{range}}}}");
                    return Err(self.error(token.span.start, message));
                }
                Ok(if word == "break" { Node::Break } else { Node::Continue })
            }
            "define" => {
                Err(self.error(token.span.start, "unexpected {{define}}: it stands outside of blocks only"))
            }
            _ => Err(self.error(token.span.start, format!("unexpected {{{{{word}}}}}"))),
        }
    }

    fn right(&mut self, context: &str) -> Result<(), TemplateError> {
        let token = self.next_word();
        if token.kind == Kind::Right { Ok(()) } else { Err(self.unexpected(&token, context)) }
    }

    /// `if` or `with`, after the word itself, up to its `{{end}}`.
    fn choice(&mut self, word: &str) -> Result<Choice, TemplateError> {
        let scope = self.variables.len();
        let mut arms = Vec::new();
        let mut otherwise = None;
        loop {
            let pipe = self.pipe(word, false)?;
            let (body, closed) = self.nested(|parser| parser.scoped(Place::Branch))?;
            arms.push((pipe, body));
            if closed == Closed::End {
                break;
            }
            self.skip_space();
            if self.peek().kind == Kind::Keyword && self.text_of(self.peek()) == word {
                self.next();
                continue;
            }
            self.right("else")?;
            otherwise = Some(self.last_branch()?);
            break;
        }
        self.variables.truncate(scope);
        Ok(Choice { arms, otherwise })
    }

    /// What stands after `{{else}}`.
    fn last_branch(&mut self) -> Result<Block, TemplateError> {
        Ok(self.nested(|parser| parser.scoped(Place::Plain))?.0)
    }

    /// A block whose variables end with it.
    fn scoped(&mut self, place: Place) -> Result<(Block, Closed), TemplateError> {
        let scope = self.variables.len();
        let read = self.block(place)?;
        self.variables.truncate(scope);
        Ok(read)
    }

    fn range(&mut self) -> Result<Node, TemplateError> {
        let scope = self.variables.len();
        let pipe = self.pipe("range", true)?;
        self.loops += 1;
        let (body, closed) = self.nested(|parser| parser.scoped(Place::Branch))?;
        self.loops -= 1;
        let otherwise = if closed == Closed::Else {
            self.right("else")?;
            Some(self.last_branch()?)
        } else {
            None
        };
        self.variables.truncate(scope);
        Ok(Node::Range(Box::new(Loop { pipe, body, otherwise })))
    }

    /// `{{template "name" pipeline}}`, after the word itself.
    fn template(&mut self, token: &Token) -> Result<Node, TemplateError> {
        let name = self.name("template clause")?;
        self.skip_space();
        let argument = if self.peek().kind == Kind::Right {
            self.next();
            None
        } else {
            Some(self.pipe("template clause", false)?)
        };
        Ok(Node::Template { span: self.action_span(token), name, argument })
    }

    /// `{{block "name" pipeline}} … {{end}}`: defined and used at once.
    fn inline(&mut self, token: &Token) -> Result<Node, TemplateError> {
        let name = self.name("block clause")?;
        let argument = Some(self.pipe("block clause", false)?);
        let span = self.action_span(token);
        let body = self.separate()?;
        self.define(name.clone(), body)?;
        Ok(Node::Template { span, name, argument })
    }

    /// From the `{{` before a keyword to where the parser is.
    fn action_span(&self, keyword: &Token) -> Range<usize> {
        let start = self.source.text[..keyword.span.start].rfind("{{").unwrap_or(keyword.span.start);
        start..self.tokens[self.at.saturating_sub(1)].span.end
    }

    /// `{{define "name"}} … {{end}}`, after the word itself.
    fn definition(&mut self) -> Result<(), TemplateError> {
        let name = self.name("define clause")?;
        self.right("define clause")?;
        let body = self.separate()?;
        self.define(name, body)
    }

    /// The body of a template of its own: it sees no variables but `$`, and no loop around.
    fn separate(&mut self) -> Result<Block, TemplateError> {
        let variables = std::mem::replace(&mut self.variables, vec!["$"]);
        let loops = std::mem::take(&mut self.loops);
        let (body, _) = self.nested(|parser| parser.block(Place::Plain))?;
        self.variables = variables;
        self.loops = loops;
        Ok(body)
    }

    fn name(&mut self, context: &str) -> Result<Arc<str>, TemplateError> {
        let token = self.next_word();
        match token.kind {
            Kind::Quoted | Kind::Raw => Ok(self.string(&token)?.into()),
            _ => Err(self.unexpected(&token, context)),
        }
    }

    /// Keeps a template. One that is empty but for white space gives way to one that is not.
    fn define(&mut self, name: Arc<str>, body: Block) -> Result<(), TemplateError> {
        let is_empty = |body: &Block| {
            body.iter().all(|node| match node {
                Node::Text(span) => self.source.text[span.clone()].trim().is_empty(),
                _ => false,
            })
        };
        if let Some(earlier) = self.trees.get(&name)
            && !is_empty(&earlier.body)
        {
            if is_empty(&body) {
                return Ok(());
            }
            let message = format!("multiple definition of template {name:?}");
            return Err(self.error(self.peek().span.start, message));
        }
        let tree = Tree { name: name.clone(), source: Arc::clone(self.source), body };
        self.trees.insert(name, Arc::new(tree));
        Ok(())
    }
}
