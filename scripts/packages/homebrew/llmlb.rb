class Llmlb < Formula
  desc "One OpenAI-compatible address in front of all inference endpoints"
  homepage "https://github.com/llmlb/llmlb"
  version "$VERSION"
  license "MIT"

  on_macos do
    on_arm do
      url "$URL/$DARWIN_ARM64", using: :nounzip
      sha256 "$DARWIN_ARM64_SHA256"
    end
    depends_on arch: :arm64
  end

  on_linux do
    on_intel do
      url "$URL/$LINUX_X64", using: :nounzip
      sha256 "$LINUX_X64_SHA256"
    end
    on_arm do
      url "$URL/$LINUX_ARM64", using: :nounzip
      sha256 "$LINUX_ARM64_SHA256"
    end
  end

  def install
    bin.install Dir["llmlb-*"].first => "llmlb"
    chmod 0755, bin/"llmlb"
    # Says to `llmlb update` who changes the program.
    (share/"llmlb").mkpath
    (share/"llmlb/managed").write "brew upgrade llmlb\n"
    generate_completions_from_executable(bin/"llmlb", "completion")
  end

  service do
    run [opt_bin/"llmlb", "serve", "--log-stderr", "off"]
    keep_alive crashed: true
    log_path var/"log/llmlb.log"
    error_log_path var/"log/llmlb.log"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/llmlb --version")
  end
end
