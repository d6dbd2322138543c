;; Sums of rows of a matrix: y += Σ x[i] · row i. Rows whose factor is 0 are left out: half of them after a ReLU.
;; `list` writes the others at the beginning of the memory, each as (address of its row, factor). `add` adds a stretch of them
;; to y, which stays in registers meanwhile: 32 numbers at a time, then 4, then 1 (vector units: SIMD).
;; kernel.js holds this as bytes; kernel.test.js assembles it again and compares.
(module
  (import "page" "memory" (memory 1))
  (global $last (mut i32) (i32.const 0))

  ;; rows at $w, $stride bytes from one to the next; factors at $x, as many as $count
  (func (export "list") (param $w i32) (param $stride i32) (param $x i32) (param $count i32)
    (local $last i32) (local $end i32) (local $factor f32)
    (local.set $end (i32.add (local.get $x) (i32.shl (local.get $count) (i32.const 2))))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $x) (local.get $end)))
        (local.set $factor (f32.load (local.get $x)))
        (i32.store (local.get $last) (local.get $w))
        (f32.store offset=4 (local.get $last) (local.get $factor))
        (local.set $last (i32.add (local.get $last) (i32.shl (f32.ne (local.get $factor) (f32.const 0)) (i32.const 3))))
        (local.set $w (i32.add (local.get $w) (local.get $stride)))
        (local.set $x (i32.add (local.get $x) (i32.const 4)))
        (br $next)))
    (global.set $last (local.get $last)))

  ;; to $length numbers at $y what stands $offset bytes after the beginning of each row
  (func (export "add") (param $y i32) (param $length i32) (param $offset i32)
    (local $row i32) (local $last i32) (local $at i32) (local $end i32) (local $sum f32) (local $factor v128)
    (local $s0 v128) (local $s1 v128) (local $s2 v128) (local $s3 v128) (local $s4 v128) (local $s5 v128) (local $s6 v128) (local $s7 v128)
    (local.set $last (global.get $last))
    (local.set $end (i32.add (local.get $y) (i32.shl (local.get $length) (i32.const 2))))
    (block $longDone
      (loop $long
        (br_if $longDone (i32.gt_u (i32.add (local.get $y) (i32.const 128)) (local.get $end)))
        (local.set $s0 (v128.load offset=0 align=4 (local.get $y)))
        (local.set $s1 (v128.load offset=16 align=4 (local.get $y)))
        (local.set $s2 (v128.load offset=32 align=4 (local.get $y)))
        (local.set $s3 (v128.load offset=48 align=4 (local.get $y)))
        (local.set $s4 (v128.load offset=64 align=4 (local.get $y)))
        (local.set $s5 (v128.load offset=80 align=4 (local.get $y)))
        (local.set $s6 (v128.load offset=96 align=4 (local.get $y)))
        (local.set $s7 (v128.load offset=112 align=4 (local.get $y)))
        (local.set $row (i32.const 0))
        (block $longAdded
          (loop $longAdd
            (br_if $longAdded (i32.ge_u (local.get $row) (local.get $last)))
            (local.set $at (i32.add (i32.load (local.get $row)) (local.get $offset)))
            (local.set $factor (v128.load32_splat offset=4 (local.get $row)))
            (local.set $s0 (f32x4.add (local.get $s0) (f32x4.mul (local.get $factor) (v128.load offset=0 align=4 (local.get $at)))))
            (local.set $s1 (f32x4.add (local.get $s1) (f32x4.mul (local.get $factor) (v128.load offset=16 align=4 (local.get $at)))))
            (local.set $s2 (f32x4.add (local.get $s2) (f32x4.mul (local.get $factor) (v128.load offset=32 align=4 (local.get $at)))))
            (local.set $s3 (f32x4.add (local.get $s3) (f32x4.mul (local.get $factor) (v128.load offset=48 align=4 (local.get $at)))))
            (local.set $s4 (f32x4.add (local.get $s4) (f32x4.mul (local.get $factor) (v128.load offset=64 align=4 (local.get $at)))))
            (local.set $s5 (f32x4.add (local.get $s5) (f32x4.mul (local.get $factor) (v128.load offset=80 align=4 (local.get $at)))))
            (local.set $s6 (f32x4.add (local.get $s6) (f32x4.mul (local.get $factor) (v128.load offset=96 align=4 (local.get $at)))))
            (local.set $s7 (f32x4.add (local.get $s7) (f32x4.mul (local.get $factor) (v128.load offset=112 align=4 (local.get $at)))))
            (local.set $row (i32.add (local.get $row) (i32.const 8)))
            (br $longAdd)))
        (v128.store offset=0 align=4 (local.get $y) (local.get $s0))
        (v128.store offset=16 align=4 (local.get $y) (local.get $s1))
        (v128.store offset=32 align=4 (local.get $y) (local.get $s2))
        (v128.store offset=48 align=4 (local.get $y) (local.get $s3))
        (v128.store offset=64 align=4 (local.get $y) (local.get $s4))
        (v128.store offset=80 align=4 (local.get $y) (local.get $s5))
        (v128.store offset=96 align=4 (local.get $y) (local.get $s6))
        (v128.store offset=112 align=4 (local.get $y) (local.get $s7))
        (local.set $y (i32.add (local.get $y) (i32.const 128)))
        (local.set $offset (i32.add (local.get $offset) (i32.const 128)))
        (br $long)))
    (block $fourDone
      (loop $four
        (br_if $fourDone (i32.gt_u (i32.add (local.get $y) (i32.const 16)) (local.get $end)))
        (local.set $s0 (v128.load offset=0 align=4 (local.get $y)))
        (local.set $row (i32.const 0))
        (block $fourAdded
          (loop $fourAdd
            (br_if $fourAdded (i32.ge_u (local.get $row) (local.get $last)))
            (local.set $at (i32.add (i32.load (local.get $row)) (local.get $offset)))
            (local.set $factor (v128.load32_splat offset=4 (local.get $row)))
            (local.set $s0 (f32x4.add (local.get $s0) (f32x4.mul (local.get $factor) (v128.load offset=0 align=4 (local.get $at)))))
            (local.set $row (i32.add (local.get $row) (i32.const 8)))
            (br $fourAdd)))
        (v128.store offset=0 align=4 (local.get $y) (local.get $s0))
        (local.set $y (i32.add (local.get $y) (i32.const 16)))
        (local.set $offset (i32.add (local.get $offset) (i32.const 16)))
        (br $four)))
    (block $oneDone
      (loop $one
        (br_if $oneDone (i32.gt_u (i32.add (local.get $y) (i32.const 4)) (local.get $end)))
        (local.set $sum (f32.load (local.get $y)))
        (local.set $row (i32.const 0))
        (block $oneAdded
          (loop $oneAdd
            (br_if $oneAdded (i32.ge_u (local.get $row) (local.get $last)))
            (local.set $at (i32.add (i32.load (local.get $row)) (local.get $offset)))
            (local.set $sum (f32.add (local.get $sum) (f32.mul (f32.load offset=4 (local.get $row)) (f32.load (local.get $at)))))
            (local.set $row (i32.add (local.get $row) (i32.const 8)))
            (br $oneAdd)))
        (f32.store (local.get $y) (local.get $sum))
        (local.set $y (i32.add (local.get $y) (i32.const 4)))
        (local.set $offset (i32.add (local.get $offset) (i32.const 4)))
        (br $one)))
  )
)
