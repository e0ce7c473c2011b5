//! Comparisons that become part of the branch behind them.

use super::function::Function;
use super::stack::Place;
use crate::op;
use crate::refusal::RefusalKind;
use crate::value::ValueType;

/// A condition as a branch takes it.
#[derive(Clone, Copy)]
pub(super) struct Condition {
    operator: u8,
    left: u8,
    right: u8,
}

impl Condition {
    pub(super) const fn word(self) -> u32 {
        op::word(self.operator, self.left, self.right, 0)
    }

    /// Returns what holds when this does not.
    pub(super) const fn inverted(self) -> Self {
        let operator = match self.operator {
            op::BRANCH_EQ => op::BRANCH_NE,
            op::BRANCH_NE => op::BRANCH_EQ,
            op::BRANCH_LT_S => op::BRANCH_GE_S,
            op::BRANCH_LT_U => op::BRANCH_GE_U,
            op::BRANCH_GE_S => op::BRANCH_LT_S,
            op::BRANCH_GE_U => op::BRANCH_LT_U,
            op::BRANCH_EQ_I => op::BRANCH_NE_I,
            op::BRANCH_NE_I => op::BRANCH_EQ_I,
            op::BRANCH_LT_S_I => op::BRANCH_GE_S_I,
            op::BRANCH_LT_U_I => op::BRANCH_GE_U_I,
            op::BRANCH_GE_S_I => op::BRANCH_LT_S_I,
            _ => op::BRANCH_LT_U_I,
        };
        Self { operator, ..self }
    }

    /// Makes one of a comparison, where a branch can do the same.
    pub(super) fn of_comparison([operator, _, left, right]: [u8; 4]) -> Option<Self> {
        let (operator, immediate) = match operator {
            op::I32_EQ..=op::I32_GE_U => (operator, 0),
            op::I32_EQ_I..=op::I32_GE_U_I => (operator.wrapping_sub(op::I32_TO_IMMEDIATE), op::BRANCH_TO_IMMEDIATE),
            _ => return None,
        };
        let straight = |branch: u8| Some(Self { operator: branch.wrapping_add(immediate), left, right });
        // More than a number is not less than the next one; two registers change places.
        let turned = |branch: u8, next: u8| match (immediate, right) {
            (0, _) => Some(Self { operator: branch, left: right, right: left }),
            (_, 0x7f | 0xff) => None,
            _ => Some(Self { operator: next.wrapping_add(immediate), left, right: right.wrapping_add(1) }),
        };
        match operator {
            op::I32_EQ => straight(op::BRANCH_EQ),
            op::I32_NE => straight(op::BRANCH_NE),
            op::I32_LT_S => straight(op::BRANCH_LT_S),
            op::I32_LT_U => straight(op::BRANCH_LT_U),
            op::I32_GE_S => straight(op::BRANCH_GE_S),
            op::I32_GE_U => straight(op::BRANCH_GE_U),
            op::I32_GT_S => turned(op::BRANCH_LT_S, op::BRANCH_GE_S),
            op::I32_GT_U => turned(op::BRANCH_LT_U, op::BRANCH_GE_U),
            op::I32_LE_S => turned(op::BRANCH_GE_S, op::BRANCH_LT_S),
            _ => turned(op::BRANCH_GE_U, op::BRANCH_LT_U),
        }
    }
}

impl Function<'_> {
    /// Pops a condition; where it is the comparison before, that becomes part of the branch.
    pub(super) fn condition(&mut self) -> Result<Condition, RefusalKind> {
        let operand = self.stack.pop(ValueType::I32)?;
        if operand.place == Place::Own {
            let own = self.register(operand.height);
            if let Some(condition) = self.code.take(own, Condition::of_comparison) {
                return Ok(condition);
            }
        }
        let left = self.held(operand)?;
        Ok(Condition { operator: op::BRANCH_NE_I, left, right: 0 })
    }
}
