@echo off
rem msiexec for deployments that know only Windows Installer's codes, such as Intune: ends with 1618, "try later", where Sightline's MSI
rem ends with 1602, a contact is in progress. All other exit codes are msiexec's. It is silent, and takes msiexec's arguments:
rem   sightline-msiexec.cmd /i sightline-1.2.3-win-x64.msi ALLOWED_CONNECT_DOMAINS=acme.my.connect.aws
rem   sightline-msiexec.cmd /x {product code}
"%SystemRoot%\System32\msiexec.exe" %* /qn /norestart
if %errorlevel% equ 1602 exit /b 1618
exit /b %errorlevel%
